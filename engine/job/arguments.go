package job

// serversArgument is the name under which the recorded arguments of a call hold the selection of
// its MCP servers. No parameter has this name.
const serversArgument = "mcp"

// savingsArgument is the name under which the recorded arguments of a call hold what the
// optimizer saved of its prompt. No parameter can have this name.
const savingsArgument = "prompt.saved"
