package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llm-cli-gateway/gateway/engine"
	"github.com/llm-cli-gateway/gateway/engine/lang/reference"
	"github.com/llm-cli-gateway/gateway/engine/text"
	"github.com/llm-cli-gateway/gateway/schema"
)

// help prints the help of a command, as --help does, a section of the operations page, or
// a part of the reference of the spec language.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | TOPIC | language [PATH] | topics]", GroupID: "use",
		Short: "Print help about a command, a topic or a field of the spec language",
		Long: `Print help about a command, or about a topic such as settings or security: 'gateway
help topics' lists them. A word that is both, such as jobs, prints both.

'gateway help language PATH' prints the reference of a field of the spec language.
PATH may contain your names: cli.acme.params.voice.flag is the same as cli.params.flag.`,
		Example: `  $ gateway help call
  $ gateway help settings
  $ gateway help language cli.prompt.via`,
		RunE: func(cmd *cobra.Command, words []string) error {
			out := cmd.OutOrStdout()
			switch {
			case len(words) == 0:
				return printHelp(root)
			case words[0] == "topics":
				return printTopics(out)
			case words[0] == "language":
				return printLanguage(out, words[1:])
			}
			found, rest, err := root.Find(words)
			isCommand := err == nil && found != root && len(rest) == 0
			part := topic(engine.Operations, strings.Join(words, "-"))
			if isCommand {
				if err := printHelp(found); err != nil {
					return err
				}
			}
			if part != "" {
				if isCommand {
					part = "\n" + part
				}
				return printSection(out, part)
			}
			if isCommand {
				return nil
			}
			return noTopic(root, strings.Join(words, " "))
		},
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(words) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return helpWords(root), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// printHelp prints the help of a command as its flag --help does.
func printHelp(cmd *cobra.Command) error {
	cmd.InitDefaultHelpFlag()
	return cmd.Help()
}

// helpWords are the words that help understands.
func helpWords(root *cobra.Command) []string {
	words := []string{"language", "topics"}
	for _, cmd := range root.Commands() {
		words = append(words, cmd.Name())
	}
	for _, s := range topics(engine.Operations) {
		words = append(words, reference.Anchor(s.title))
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// noTopic is the error for a word that is neither a command nor a topic.
func noTopic(root *cobra.Command, word string) error {
	hint := "`gateway help topics` lists the topics"
	if near := text.Nearest(word, helpWords(root)); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if part, _ := lookUp(schema.Reference, word); part != "" {
		hint = fmt.Sprintf("did you mean `gateway help language %s`?", word)
	}
	return fmt.Errorf("no command and no topic is called %q (%s)", word, hint)
}

// printTopics lists the sections of both pages.
func printTopics(out io.Writer) error {
	p := newPage(out)
	p.print(p.strong("Topics") + " (gateway help TOPIC)\n\n")
	rows := [][]string{}
	for _, s := range topics(engine.Operations) {
		rows = append(rows, []string{reference.Anchor(s.title), s.summary()})
	}
	p.table(rows)
	p.print("\n" + p.strong("Spec language") + " (gateway help language PATH)\n\n")
	p.block(languagePaths())
	if p.err != nil {
		return fail(p.err)
	}
	return nil
}

// languagePaths are the headings of the reference, one in a line.
func languagePaths() string {
	var b strings.Builder
	for _, s := range topics(schema.Reference) {
		title := strings.ReplaceAll(s.title, "`", "")
		if pathsOf(s.title) == nil {
			title = reference.Anchor(s.title)
		}
		b.WriteString(title + "\n")
	}
	return b.String()
}

// printLanguage prints what the reference says about a path or a section; without one, its
// introduction and the list of paths.
func printLanguage(out io.Writer, words []string) error {
	if len(words) == 0 {
		intro := sections(schema.Reference)[0].intro
		return printSection(out, intro+"Paths:\n\n"+languagePaths())
	}
	path := strings.Join(words, ".")
	part := topic(schema.Reference, path)
	if part == "" {
		var near string
		if part, near = lookUp(schema.Reference, path); part == "" && near != "" {
			return fmt.Errorf("the spec language has no %q (did you mean %q?)", path, near)
		}
	}
	if part == "" {
		return errors.New("the spec language has no \"" + path + "\"; `gateway help language` lists its paths")
	}
	return printSection(out, part)
}

// printSection prints a part of a page.
func printSection(out io.Writer, part string) error {
	if _, err := io.WriteString(out, strings.TrimRight(readable(part), "\n")+"\n"); err != nil {
		return fail(err)
	}
	return nil
}
