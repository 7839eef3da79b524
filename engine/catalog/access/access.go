// Package access decides what a call may do, and writes the words by which its CLI is held
// to that.
//
// A level is a value of the call. It is given, or follows from the other arguments, or was
// kept from the first turn of the conversation, or is the default; see Decide. It hides how
// a level becomes words, variables and files. It must not know which CLIs there are, who
// calls, or whether a call of a level may run: that is a matter of policy.
package access

import (
	"fmt"
	"strings"
)

// Level is what a call may do. None is for what asks for nothing.
type Level int

// The levels, from the lowest up.
const (
	None Level = iota
	Read       // nothing is changed
	Edit       // file tools write in the working directory
	Full       // anything
)

// Own is the name of leaving it to the program and its settings, which counts as Full.
const Own = "own"

var levelNames = []string{"", "read", "edit", "full"}

// Names are what a call may ask for.
var Names = []string{"read", "edit", "full", Own}

func (l Level) String() string { return levelNames[l] }

// Named is the level of that name; Own counts as Full, and so does what is no level.
func Named(name string) Level {
	for l, known := range levelNames {
		if known == name {
			return Level(l)
		}
	}
	return Full
}

// Ask is something in a call that asks for a level.
type Ask struct {
	Level Level
	By    string // the argument, and its value where that says more
}

// Facts are what is known of a call before its access is decided.
type Facts struct {
	CLI     string                 // name of the program for people
	Has     func(level Level) bool // whether the spec has words for the level
	Given   string                 // parameter access; "" if it is not given
	Asked   []Ask                  // by its other arguments
	Servers []Ask                  // by its MCP servers
	Kept    string                 // access of the first turn of the conversation; "" for none
	Default string                 // a level or Own
	Ceiling Ceiling
}

// Ceiling is the highest level that a call may have, and who says so. The zero value is
// none.
type Ceiling struct {
	Level Level
	From  string // as in "job 1a2b, which makes this call"
}

// Lower is the lower one of two ceilings.
func (c Ceiling) Lower(other Ceiling) Ceiling {
	if c.Level == None || other.Level != None && other.Level < c.Level {
		return other
	}
	return c
}

// Access is what a call may do.
type Access struct {
	// Level is what the call counts as: "read", "edit" or "full".
	Level string `json:"level"`
	// Words is the level to which the program is held, or Own if it is left to it. It is
	// lower than Level where MCP servers can do more.
	Words string `json:"words"`
	// From says why: "argument access", names of arguments, "session" or "default".
	From string `json:"from"`
	// Reach is what the level can reach beside the working directory, as the spec says it.
	Reach string `json:"reach,omitempty"`

	Notes    []string `json:"-"` // for the caller
	Explicit bool     `json:"-"` // the call itself asks for it
	Widened  bool     `json:"-"` // it is more than the first turn of the conversation had
	Above    Ceiling  `json:"-"` // of a refusal: the ceiling that it is above; zero for none
}

// Given reports whether the call gave its access.
func (a Access) Given() bool { return a.From == fromArgument }

// Where an access comes from.
const (
	fromArgument = "argument access"
	fromSession  = "session"
	FromDefault  = "default"
)

// Decide says what a call may do. A refusal says why it can have no access, for its caller.
//
// What is given must not be contradicted: arguments that ask for more are refused, and
// those that ask for less narrow it. Without it the highest level that an argument asks for
// holds, over what was kept and over the default. An MCP server adds to what the call counts
// as, and not to what the program itself may do.
func Decide(f Facts) (a Access, refusal string) {
	asked, servers := highest(f.Asked), highest(f.Servers)
	words := Named(f.Default)
	switch {
	case f.Given != "":
		words, a.From, a.Explicit = Named(f.Given), fromArgument, true
		for _, ask := range []Ask{asked, servers} {
			if ask.Level > words {
				return a, fmt.Sprintf("access %q does not go with %s, which has the level %q: pass one of the two, or access %q", f.Given, ask.By, ask.Level, ask.Level)
			}
		}
		a.Words = f.Given
	case asked.Level != None:
		words, a.From, a.Explicit, a.Words = asked.Level, "argument "+asked.By, true, asked.Level.String()
	case f.Kept != "":
		words, a.From, a.Words = Named(f.Kept), fromSession, f.Kept
	default:
		a.From, a.Words = FromDefault, f.Default
	}
	if a, refusal = f.held(a, words); refusal != "" {
		return a, refusal
	}
	a.Explicit = a.Explicit || servers.Level != None
	counted := max(Named(a.Words), servers.Level)
	most := f.Ceiling.Level
	switch {
	case most == None || counted <= most:
	case a.Words == Own:
		a.Above = f.Ceiling
		return a, fmt.Sprintf("%s cannot be held to the level %q, which is the most that %s may have: its spec has no such level", f.CLI, most, f.Ceiling.From)
	default:
		a.Above = f.Ceiling
		return a, fmt.Sprintf("%s has the level %q, and %s may have at most %q", servers.By, servers.Level, f.Ceiling.From, most)
	}
	a.Level = counted.String()
	a.Widened = f.Kept != "" && counted > Named(f.Kept)
	return a, ""
}

// held finds the level to which the program can be held: at most the ceiling, and one that
// the spec has words for.
func (f Facts) held(a Access, words Level) (Access, string) {
	if most := f.Ceiling.Level; most != None && words > most {
		if a.Explicit {
			a.Above = f.Ceiling
			return a, fmt.Sprintf("%s asks for the level %q, and %s may have at most %q", strings.TrimPrefix(a.From, "argument "), words, f.Ceiling.From, most)
		}
		if !f.Has(most) {
			a.Above = f.Ceiling
			return a, fmt.Sprintf("%s cannot be held to the level %q, which is the most that %s may have: its spec has no such level", f.CLI, most, f.Ceiling.From)
		}
		a.Notes = append(a.Notes, fmt.Sprintf("access is %q: %s may have no more", most, f.Ceiling.From))
		a.Words = most.String()
		return a, ""
	}
	switch {
	case a.Words == Own || f.Has(words):
	case a.From == fromArgument:
		return a, fmt.Sprintf("%s cannot be held to the level %q: its spec (cli.NAME.access) has no such level; access %q leaves it to the program", f.CLI, words, Own)
	default:
		a.Words = Own
	}
	return a, ""
}

func highest(asks []Ask) (most Ask) {
	for _, ask := range asks {
		if ask.Level > most.Level {
			most = ask
		}
	}
	return most
}
