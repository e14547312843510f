package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit codes of every command; 0 is success.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotReady = 3 // it did its work, and what it looked at is not in order
)

// exitError is an error that knows the exit code it ends the process with, and how it is printed.
type exitError struct {
	code int
	err  error
	// verbatim is true when the text stands on its own, such as a list of file:line: messages that an editor reads.
	verbatim bool
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

// usageError marks err as one of wrong usage.
func usageError(err error) error { return &exitError{code: exitUsage, err: err} }

// listingError marks err as one whose lines are printed as they are.
func listingError(err error) error { return &exitError{code: exitFailed, err: err, verbatim: true} }

// exitCode returns the code that the process ends with after err.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	}
	return exitFailed
}

// errorText returns what is printed of err, without a final line feed.
func errorText(err error) string {
	var exit *exitError
	if !errors.As(err, &exit) {
		return "tugboot: " + err.Error()
	}
	switch {
	case exit.verbatim:
		return exit.Error()
	case exit.code == exitUsage:
		return "tugboot: " + err.Error() + "\nRun the command with --help to see how it is used."
	}
	return "tugboot: " + err.Error()
}

// exactArgs refuses any other number of arguments than n; what says what they are.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usageError(fmt.Errorf("%s: %d arguments where it takes %d: give %s", c.CommandPath(), len(args), n, what))
	}
}

// noArgs refuses all arguments.
func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return usageError(err)
	}
	return nil
}
