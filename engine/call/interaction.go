package call

import "context"

// Interaction is what a call can ask of its client while it is being made. A field that
// is nil is something that the client cannot do.
type Interaction struct {
	// ListRoots returns the client's root directories.
	ListRoots func(ctx context.Context) (Roots, error)
	// RootsNextRound says that they can only be asked between two rounds of a call: the
	// handler returns an InputRequired, and is called again.
	RootsNextRound bool

	// Ask shows a text to the person in front of the client, who approves or denies what it
	// is about. It waits for as long as ctx lasts.
	Ask func(ctx context.Context, text string) (Reply, error)
	// AskNextRound says that the client can ask, but only between two rounds of a call: the
	// handler returns an InputRequired with a Question, and is called again with Answer.
	AskNextRound bool
	Answer       *Answer

	// Progress tells the client what is going on.
	Progress func(message string)
}

// Roots are the directories in which a client works.
type Roots struct {
	Dirs    []string // absolute paths
	Strange []string // of each that is not understood which it is, and why
}

// Reply is what came back of a question. Only the first two are a person's: a choice that
// nothing but a choice can make. The others are a client's, which may have answered by
// itself.
type Reply string

const (
	ChoseApprove Reply = "approve"
	ChoseDeny    Reply = "deny"
	NoChoice     Reply = "no_choice" // the form came back without a choice, or with one that there is not
	Declined     Reply = "decline"   // the form was declined
	Dismissed    Reply = "cancel"    // the form was closed
)

// Chosen reports whether a person made a choice.
func (r Reply) Chosen() bool { return r == ChoseApprove || r == ChoseDeny }

// Question is put to the person in front of the client. The state comes back with the
// answer.
type Question struct{ Text, State string }

// Answer is what came back of the question of an earlier round.
type Answer struct {
	Reply Reply
	State string
}

// InputRequired is the error of a handler that did nothing yet, because it needs
// something of the client first: its roots, or the answer to a question.
type InputRequired struct {
	Roots    bool
	Question *Question
}

func (e *InputRequired) Error() string {
	if e.Roots {
		return "the call needs the client's root directories"
	}
	return "the call needs the answer to a question"
}
