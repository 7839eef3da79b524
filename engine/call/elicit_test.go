package call

import (
	"testing"
	"time"
)

func TestQuestionsAreForgotten(t *testing.T) {
	var q questions
	now := time.Now()
	a, b := [32]byte{1}, [32]byte{2}
	state := q.put(a, now.Add(time.Minute))
	if fits, inTime := q.take(state, a, now.Add(time.Minute+1)); !fits || inTime {
		t.Error("a late answer is not known as one")
	}
	state = q.put(a, now.Add(time.Minute))
	if fits, _ := q.take(state, b, now); fits {
		t.Error("an answer to another question")
	}
	if fits, _ := q.take(state, a, now); fits {
		t.Error("an answer counts twice")
	}
	first := q.put(a, now)
	q.put(a, now.Add(keepLate+time.Second))
	if fits, _ := q.take(first, a, now); fits {
		t.Error("old questions are kept")
	}
	oldest := q.put(a, now.Add(time.Minute))
	for i := range maxQuestions + 50 {
		q.put(a, now.Add(2*time.Minute+time.Duration(i)))
	}
	if len(q.open) > maxQuestions {
		t.Errorf("%d questions are open", len(q.open))
	}
	if fits, _ := q.take(oldest, a, now); fits {
		t.Error("the oldest question stayed")
	}
}
