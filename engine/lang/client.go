package lang

import (
	"encoding/json"
	"strings"
)

// SlotGateway stands for the path of the program in the settings of a client.
const SlotGateway = "{gateway}"

// Line is the command or settings entry that adds the gateway to the client: the path
// of the program stands in it as a word of a shell, or inside the quotes of a file.
func (c ClientSpec) Line(program string) string {
	inside, _ := json.Marshal(program)
	line := strings.ReplaceAll(c.Add, `"`+SlotGateway+`"`, string(inside))
	return strings.ReplaceAll(line, SlotGateway, ShellWord(program))
}

// ShellWord shows a word as a shell would want it.
func ShellWord(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\n'\"\\$`*?[]{}()<>|&;#~!") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// SystemFile is a file, or one for each system, by the names that Go has for systems.
type SystemFile map[string]string

// For is the file on a system; "" if the client is not there, or nothing is known.
func (f SystemFile) For(system string) string {
	if file, ok := f[system]; ok {
		return file
	}
	return f[AnySystem]
}

// AnySystem is the key of a file that is the same everywhere.
const AnySystem = ""
