package installed

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/catalog/argvtemplate"
	"github.com/llm-cli-gateway/gateway/engine/host"
)

// Bounds of a question about options. Programs that an interpreter runs take seconds to
// print their help, on a machine with much to do.
const (
	helpLimit = 30 * time.Second
	maxHelp   = 1 << 20
)

// Patient is a prober with a long timeout and without a cache.
func Patient(h *host.Host) *Prober { return &Prober{Host: h, limit: helpLimit} }

// Help is what a CLI prints after words that ask for help, which argvtemplate.IsHelpRequest has found
// to do so. It may stand on either output, and some programs end with an error behind
// it; the error says that there is none.
func (p *Prober) Help(ctx context.Context, cat *catalog.Catalog, cli *catalog.CLI, words []string) (string, error) {
	path, err := p.Host.Find(cli.Bin)
	if err != nil {
		return "", err
	}
	if !argvtemplate.IsHelpRequest(words) {
		return "", errors.New("these arguments do not request a help text")
	}
	dir, err := os.MkdirTemp("", "llm-gateway-help-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	stdout, stderr, exit, err := p.run(ctx, cat, cli, path, dir, query{words, p.most(), maxHelp})
	if err != nil {
		return "", err
	}
	for _, text := range []string{stdout, stderr} {
		if lists(text) {
			return text, nil
		}
	}
	if exit != 0 {
		return "", ended(exit, stdout, stderr)
	}
	return "", errors.New("its help text contains nothing that looks like an option")
}

// lists reports whether a text may be one that lists options.
func lists(text string) bool {
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimLeft(line, " \t[")
		if strings.HasPrefix(line, "-") && len(line) > 1 && line[1] != ' ' {
			return true
		}
	}
	return strings.Contains(text, "[-")
}
