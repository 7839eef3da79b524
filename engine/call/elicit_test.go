package call

import (
	"testing"
	"time"
)

func TestQuestionsAreForgotten(t *testing.T) {
	var q questions
	now := time.Now()
	a, b := [32]byte{1}, [32]byte{2}
	state := q.put(a, Job{Position: 7}, now.Add(time.Minute))
	if job, fits := q.take(state, a); !fits || job.Position != 7 {
		t.Error("the job of a question is not known")
	}
	state = q.put(a, Job{}, now.Add(time.Minute))
	if _, fits := q.take(state, b); fits {
		t.Error("an answer to another question")
	}
	if _, fits := q.take(state, a); fits {
		t.Error("an answer counts twice")
	}
	first := q.put(a, Job{}, now)
	q.put(a, Job{}, now.Add(keepLate+time.Second))
	if _, fits := q.take(first, a); fits {
		t.Error("old questions are kept")
	}
	oldest := q.put(a, Job{}, now.Add(time.Minute))
	for i := range maxQuestions + 50 {
		q.put(a, Job{}, now.Add(2*time.Minute+time.Duration(i)))
	}
	if len(q.open) > maxQuestions {
		t.Errorf("%d questions are open", len(q.open))
	}
	if _, fits := q.take(oldest, a); fits {
		t.Error("the oldest question stayed")
	}
}
