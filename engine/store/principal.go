package store

import (
	"errors"
	"fmt"
)

// Local is the principal of the user of this machine, who makes all calls that come over
// standard input or from the command line.
const Local = "local"

// AnyPrincipal selects the rows of all principals. It is for the maintenance of a store and
// never for the answer to a caller. No row has it.
const AnyPrincipal = "*"

// ErrNoPrincipal says that a row or a query names no principal. There is no default here,
// so that a forgotten principal fails and shows nobody the rows of others.
var ErrNoPrincipal = errors.New("no principal is named")

// CheckPrincipal fails if a row cannot belong to the principal.
func CheckPrincipal(principal string) error {
	switch principal {
	case "":
		return ErrNoPrincipal
	case AnyPrincipal:
		return fmt.Errorf("%q is not one principal", principal)
	}
	return nil
}
