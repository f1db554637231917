// Package pulumicli finds and runs the Pulumi command line for the other commands.
package pulumicli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// find returns the pulumi on PATH, else the one that make built in the project
// at dir.
func find(dir string) (string, error) {
	program, err := exec.LookPath("pulumi")
	if err == nil {
		return program, nil
	}
	if program, err = filepath.Abs(filepath.Join(dir, ".tools", "bin", "pulumi")); err != nil {
		return "", fmt.Errorf("find pulumi: %w", err)
	}
	if _, err := os.Stat(program); err != nil {
		return "", errors.New("no pulumi on PATH, nor one built by make (want https://www.pulumi.com/docs/install, or make tools)")
	}
	return program, nil
}
