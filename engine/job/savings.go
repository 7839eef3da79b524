package job

// savingsArgument is the name under which the recorded arguments of a call hold what the
// optimizer saved of its prompt. No parameter can have this name.
const savingsArgument = "prompt.saved"
