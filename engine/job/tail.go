package job

// Tail follows what a job prints, to tell what it does.
type Tail struct{ r *Runner }

// Tail follows a job from now on.
func (r *Runner) Tail(job Job) *Tail { return &Tail{r} }

// Look is what the job does by now, in one line; "" if nothing is known.
func (t *Tail) Look() string { return "" }
