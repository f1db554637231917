package fleetcmd

import "errors"

// The exit codes of status, for scripts. The others end with their remote
// command's code, or as ssh does when there was none.
const (
	codeDiffers = 1
	codeSilent  = 2
	codeNoSSH   = 255
)

// exit is an error that ends the program with a code of its own. Without err,
// all has been said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// ExitCode is what the program ends with after err.
func ExitCode(err error) int {
	var e *exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.code
	}
	return 1
}

// coded gives err a code, unless it has one.
func coded(code int, err error) error {
	var e *exit
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &exit{code: code, err: err}
}
