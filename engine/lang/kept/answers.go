package kept

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"io"
	"slices"
)

// A file of evaluated files lets the next process skip their evaluation, and the start of a
// process for it. It contains what the evaluation gave, by the checksum of the name and
// the text of each file.
const (
	answersFormat  = "evaluated specs 1" // changes when an evaluation gives something else
	maxAnswersFile = 16 << 20            // bytes
	maxAnswers     = 256
)

// Answer is what the evaluation of a file gave.
type Answer struct {
	Sum    Sum // of its name and text
	Answer []byte
}

// ReadAnswers reads a file that WriteAnswers wrote; nil if there is none that counts.
func ReadAnswers(name string) (answers []Answer) {
	f, err := openOwn(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAnswersFile))
	if err != nil {
		return nil
	}
	first, body, _ := bytes.Cut(text, []byte("\n"))
	if !bytes.Equal(append(first[:len(first):len(first)], '\n'), answersHead(body)) || gob.NewDecoder(bytes.NewReader(body)).Decode(&answers) != nil {
		return nil
	}
	return answers
}

// WriteAnswers writes the first answers, as many as a file may have, to a file that only
// this user can read, and gives those that it wrote. The folder must exist.
func WriteAnswers(name string, answers []Answer) (written []Answer, err error) {
	size := 0
	for i, a := range answers {
		if size += len(a.Answer) + len(a.Sum); size > maxAnswersFile/2 || i == maxAnswers {
			answers = answers[:i]
			break
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(answers); err != nil {
		return nil, err
	}
	return answers, replace(name, slices.Concat(answersHead(b.Bytes()), b.Bytes()))
}

// answersHead is how a file with that body begins.
func answersHead(body []byte) []byte {
	return fmt.Appendf(nil, "%s; %x\n", head(answersFormat), sha256.Sum256(body))
}
