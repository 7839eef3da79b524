package supervisor

// Phase is the status of a job.
type Phase string

const (
	Queued  Phase = "queued"  // a process holds the lease, and the command does not run yet
	Running Phase = "running" // the command runs, or its descendants are being ended
	Ended   Phase = "ended"   // there is a record of its end, for good
	Lost    Phase = "lost"    // nobody holds the lease and there is no record, for good
)

// State is what the directory of a job says.
type State struct {
	Phase Phase
	// Start is zero until the supervisor is about to start the command.
	Start Start
	// Exit is the record of a job that has Ended. For a Lost one it has the Reason
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
