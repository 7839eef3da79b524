package supervisor

// Phase is where a job stands.
type Phase string

const (
	Queued  Phase = "queued"  // somebody answers for it, and it does not run yet
	Running Phase = "running" // it runs, or what it left behind is being ended
	Ended   Phase = "ended"   // there is a record of its end, for good
	Lost    Phase = "lost"    // nobody answers for it and there is no record, for good
)

// State is what a job directory tells.
type State struct {
	Phase Phase
	// Start is zero until the supervisor is about to start the command.
	Start Start
	// Exit is the record of a job that has Ended. Of a Lost one it has the Reason
	// and what there is of the output.
	Exit Exit
	// Canceling reports that a Cancel was asked for with the text Cancel, as long
	// as there is no record.
	Canceling bool
	Cancel    string
}

// StartError is a command that could not be started, or a supervisor that could
// not do its work. Nothing ran.
type StartError struct {
	Errno int // of this system, or 0
	Text  string
}

func (e *StartError) Error() string { return e.Text }
