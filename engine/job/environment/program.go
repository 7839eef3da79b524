package environment

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// Program is the path of the program of a CLI, or why there is none.
func Program(h *host.Host, cli *catalog.CLI, bin string) (path string, failure *lang.Failure) {
	var missing *host.NotFoundError
	path, err := h.Find(bin)
	if errors.As(err, &missing) {
		hint := "install " + cli.DisplayName()
		if cli.Install != "" {
			hint += ": " + cli.Install
		}
		hint += fmt.Sprintf("; or set cli.%s.bin to its path", cli.Name)
		return "", &lang.Failure{Class: lang.ClassMissing, Message: fmt.Sprintf("%s is not installed: %s", cli.DisplayName(), missing), Hint: hint}
	}
	var broken *host.NotExecutableError
	if errors.As(err, &broken) {
		failure = NotStarted(cli, err)
		failure.Hint = broken.Fix()
		return "", failure
	}
	if err != nil {
		return "", StartFailure(err)
	}
	return path, nil
}

// NotStarted is the failure of a CLI whose program could not be started.
func NotStarted(cli *catalog.CLI, err error) *lang.Failure {
	return &lang.Failure{Class: lang.ClassStart, Message: fmt.Sprintf("%s could not be started: %s", cli.DisplayName(), err)}
}

// StartFailure turns what went wrong before a program was started into a failure.
func StartFailure(err error) *lang.Failure {
	if errors.Is(err, syscall.ENOSPC) {
		return &lang.Failure{Class: lang.ClassDisk, Message: err.Error(), Hint: "free disk space where the gateway keeps its state, then try again"}
	}
	return &lang.Failure{Class: lang.ClassStart, Message: err.Error()}
}
