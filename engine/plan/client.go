package plan

import (
	"encoding/json"
	"strings"
)

// Line is the command or settings entry that adds the gateway to the client: the path
// of the program stands in it as a word of a shell, or inside the quotes of a file.
func (c ClientSpec) Line(program string) string {
	inside, _ := json.Marshal(program)
	line := strings.ReplaceAll(c.Add, `"{gateway}"`, string(inside))
	return strings.ReplaceAll(line, "{gateway}", ShellWord(program))
}

// ShellWord shows a word as a shell would want it.
func ShellWord(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\n'\"\\$`*?[]{}()<>|&;#~!") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
