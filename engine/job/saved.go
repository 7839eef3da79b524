package job

// savedOfPrompt is the name among the recorded arguments of a call under which stands
// what was saved of its prompt. No parameter can have it.
const savedOfPrompt = "prompt.saved"
