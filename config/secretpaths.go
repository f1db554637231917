package config

import "reflect"

// SecretPaths lists every setting that must be encrypted, in the order of the
// reference: "kafka.password"; "registries[].password" for one of each element.
// Whoever looks for leaked secrets starts here, so that none is forgotten.
func SecretPaths() []string { return secretPaths(reflect.TypeFor[stackFile](), "") }

func secretPaths(t reflect.Type, path string) []string {
	switch t.Kind() { //nolint:exhaustive // nothing else has settings below it
	case reflect.Pointer:
		return secretPaths(t.Elem(), path)
	case reflect.Slice:
		return secretPaths(t.Elem(), path+"[]")
	case reflect.Map:
		return secretPaths(t.Elem(), path+".<name>")
	case reflect.Struct:
	default:
		return nil
	}
	var paths []string
	for i := range t.NumField() {
		field := t.Field(i)
		below := join(path, field.Tag.Get("json"))
		if field.Tag.Get("secret") == "true" {
			paths = append(paths, below)
		}
		paths = append(paths, secretPaths(field.Type, below)...)
	}
	return paths
}
