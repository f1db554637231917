package config

import (
	"path/filepath"
	"regexp"
)

// appleKeyFile is how Apple names the file of a key when it hands it out.
var appleKeyFile = regexp.MustCompile(`^AuthKey_([A-Z0-9]{10})\.p8$`)

// namedAs compares the key's identifier with the file's name. Nothing in the key
// tells it, and Apple refuses every push for which the two do not belong together.
func (l *loader) namedAs(f *apnsFile) {
	name := appleKeyFile.FindStringSubmatch(filepath.Base(f.KeyPath))
	if name == nil || !appleID.MatchString(f.KeyID) || name[1] == f.KeyID {
		return
	}
	l.problems.add("apns.keyId", "is not the identifier of "+name[0], name[1]+", or the file of another key")
}
