package secret

import (
	"regexp"
	"regexp/syntax"
	"sync"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// kind is one kind of secret, compiled when one of its beginnings is first met.
type kind struct {
	name   string
	spec   lang.SecretSpec
	number int // among those of the finder

	once  sync.Once
	lead  lead
	whole *regexp.Regexp // nil if lead is all that it asks for
	needs []*regexp.Regexp
}

// lead is what an expression begins with: at least so many characters of a class.
type lead struct {
	class *[256]bool // nil: nothing is known
	least int
	open  bool // there may be any number of them
	all   bool // nothing else follows
}

// check reports expressions that cannot be compiled.
func check(spec lang.SecretSpec, ps lang.Problems) {
	if len(spec.Begins) == 0 {
		ps.At("begins").Add("value", "must hold one text at least")
	}
	wrong := func(expression string, at lang.Problems) {
		if _, err := syntax.Parse(expression, syntax.Perl); err != nil {
			at.Add("regexp", "%s", err)
		}
	}
	wrong(spec.Then, ps.At("then"))
	for i, need := range spec.Needs {
		wrong(need, ps.At("needs", i))
	}
}

func (k *kind) compile() {
	k.once.Do(func() {
		if tree, err := syntax.Parse(k.spec.Then, syntax.Perl); err == nil {
			k.lead = leadOf(tree)
		}
		if !k.lead.all {
			k.whole = regexp.MustCompile(`\A(?:` + k.spec.Then + `)`)
		}
		for _, need := range k.spec.Needs {
			k.needs = append(k.needs, regexp.MustCompile(need))
		}
	})
}

// extent is where in a text, which starts with so many bytes of a beginning, the secret lies; to
// is 0 if there is none. Then none of the kind begins before barren either.
func (k *kind) extent(text string, beginning int) (from, to, barren int) {
	k.compile()
	tail := text[beginning:]
	n := 0
	if k.lead.class != nil {
		for n < len(tail) && (n < k.lead.least || k.lead.open) && k.lead.class[tail[n]] {
			n++
		}
		if n < k.lead.least {
			return 0, 0, 0
		}
	}
	to = beginning + n
	if k.whole != nil {
		match := k.whole.FindStringSubmatchIndex(tail)
		switch {
		case match == nil && k.lead.open: // nor does what follows fit a shorter stretch before it
			return 0, 0, beginning + n
		case match == nil:
			return 0, 0, 0
		case len(match) > 2 && match[2] >= 0:
			from, to = beginning+match[2], beginning+match[3]
		default:
			to = beginning + match[1]
		}
	}
	for _, need := range k.needs {
		if need.MatchString(text[from:to]) {
			continue
		}
		if k.whole == nil { // a part of it has no more than all of it
			barren = to
		}
		return 0, 0, barren
	}
	return from, to, 0
}

// leadOf finds what an expression begins with, if that is a class of single bytes.
func leadOf(re *syntax.Regexp) lead {
	switch re.Op {
	case syntax.OpConcat:
		l := leadOf(re.Sub[0])
		l.all = false
		return l
	case syntax.OpCapture:
		l := leadOf(re.Sub[0])
		l.all = false // the group is the secret
		return l
	case syntax.OpPlus, syntax.OpStar, syntax.OpRepeat:
		l := leadOf(re.Sub[0])
		if re.Sub[0].Op != syntax.OpCharClass || re.Flags&syntax.NonGreedy != 0 {
			return lead{}
		}
		l.least, l.open = re.Min, re.Max < 0
		if re.Op != syntax.OpRepeat {
			l.least, l.open = 0, true
			if re.Op == syntax.OpPlus {
				l.least = 1
			}
		}
		l.all = l.open
		return l
	case syntax.OpCharClass:
		class := new([256]bool)
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1] > 0x7f {
				return lead{}
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				class[r] = true
			}
		}
		return lead{class: class, least: 1}
	}
	return lead{}
}
