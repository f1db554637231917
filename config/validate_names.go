package config

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

// names checks domain names and brings them into their canonical form: lower
// case, internationalised labels as punycode.
var names = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.BidiRule())

// name checks one fully qualified domain name.
func (v *validator) name(path, value string) {
	canonical, err := names.ToASCII(value)
	switch want := "a name such as chat.example.com"; {
	case strings.Contains(value, "/") || strings.Contains(value, ":"):
		v.add(path, "is a URL or has a port", want)
	case strings.HasSuffix(value, "."):
		v.add(path, "ends with a dot", strings.TrimRight(value, "."))
	case err != nil:
		v.add(path, "is not a domain name", want)
	case canonical != value:
		v.add(path, "is not in its canonical form", canonical)
	case !strings.Contains(value, ".") || strings.Trim(value[strings.LastIndex(value, ".")+1:], "0123456789") == "":
		v.add(path, "is not a fully qualified domain name", want)
	case strings.HasSuffix(value, ".internal"):
		v.add(path, "ends with .internal, which the private network uses", want)
	}
}

func (v *validator) domain() {
	if v.Domain != "" {
		v.name("domain", v.Domain)
	}
}

func (v *validator) dns() {
	if v.DNS.Zone == v.Domain {
		return
	}
	if v.Domain == "" {
		v.add("dns.zone", "is set without a domain", "construct:domain, a name in this zone")
		return
	}
	before := len(v.problems)
	v.name("dns.zone", v.DNS.Zone)
	if len(v.problems) == before && !strings.HasSuffix(v.Domain, "."+v.DNS.Zone) {
		v.add("dns.zone", "does not contain the domain", "the domain or one of its parents")
	}
}

func (v *validator) acme() {
	switch want := "an address that somebody reads"; {
	case v.ACME.Email == "":
		if v.Domain != "" {
			v.add("acme.email", "is missing although there is a domain", want)
		}
	case !isEmail(v.ACME.Email):
		v.add("acme.email", "is not an e-mail address", want)
	}
	if !isURL(v.ACME.Directory, "https") {
		v.add("acme.directory", "is not an https URL", "for example "+letsEncrypt)
	}
	v.certificates("acme.caRoot", v.ACME.CARoot)
}

// emailSyntax is what addresses in use look like. RFC 5322 allows more, such as
// quotes, and braces, which mean something to Caddy and to Alertmanager.
var emailSyntax = regexp.MustCompile(`^[A-Za-z0-9!#%&*+/=?^_~.'-]+@[A-Za-z0-9.-]+$`)

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || !emailSyntax.MatchString(text) {
		return false
	}
	_, host, _ := strings.Cut(text, "@")
	return strings.Contains(host, ".")
}

// urlSyntax is what RFC 3986 lets a URL consist of, without the single quote,
// which an environment file cannot carry.
var urlSyntax = regexp.MustCompile(`^[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+$`)

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !urlSyntax.MatchString(text) {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return true
		}
	}
	return false
}

// certificates checks an optional bundle of PEM certificates.
func (v *validator) certificates(path, bundle string) {
	if bundle == "" {
		return
	}
	const want = "one or more PEM blocks of type CERTIFICATE"
	rest, count := []byte(bundle), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); block.Type != "CERTIFICATE" || err != nil {
			v.add(path, "holds something that is not a certificate", want)
			return
		}
		count++
	}
	if count == 0 || strings.TrimSpace(string(rest)) != "" {
		v.add(path, "is not PEM", want)
	}
}

func (v *validator) federation() {
	if v.Federation == nil {
		return
	}
	if v.Domain == "" {
		v.add("federation", "is set without a domain", "construct:domain: other servers reach this one by its name")
	}
	if base := v.Federation.BaseDomain; base != "" && base != v.Domain {
		v.name("federation.baseDomain", base)
	}
	const want = "base64 of 32 bytes: openssl rand -base64 32"
	if !v.require("federation.signingKey", v.Federation.SigningKey, want) {
		return
	}
	if key, err := base64.StdEncoding.DecodeString(v.Federation.SigningKey); err != nil {
		v.add("federation.signingKey", "is not base64", want)
	} else if len(key) != 32 {
		v.add("federation.signingKey", "has the wrong length", want)
	}
}
