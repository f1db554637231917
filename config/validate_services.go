package config

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

func (v *validator) inRange(path string, value, least, most int) {
	if value < least || value > most {
		v.add(path, fmt.Sprintf("is %d", value), fmt.Sprintf("%d to %d", least, most))
	}
}

var saslMechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

func (v *validator) kafka() {
	k := v.Kafka
	for i, broker := range k.Brokers {
		if !isHostPort(broker) {
			v.add(fmt.Sprintf("kafka.brokers[%d]", i), "is not host:port", "for example broker-1.example.com:9092")
		}
	}
	v.certificates("kafka.caRoot", k.CARoot)
	if len(k.Brokers) == 0 {
		v.kafkaWithoutBrokers()
		return
	}
	if k.CARoot != "" && !k.TLS {
		v.add("kafka.caRoot", "is set although tls is off", "tls: true, or none")
	}
	if k.SASLMechanism == "" && k.Username == "" && k.Password == "" {
		return
	}
	const all = "all of saslMechanism, username and password, or none"
	v.require("kafka.saslMechanism", k.SASLMechanism, all)
	v.require("kafka.username", k.Username, all)
	v.require("kafka.password", k.Password, all)
	if k.SASLMechanism != "" && !slices.Contains(saslMechanisms, k.SASLMechanism) {
		v.add("kafka.saslMechanism", "is no supported mechanism", strings.Join(saslMechanisms, ", "))
	}
	if k.SASLMechanism == "PLAIN" && !k.TLS {
		v.add("kafka.saslMechanism", "sends the password in clear, since tls is off", "tls: true, or a SCRAM mechanism")
	}
	v.inEnvFile("kafka.username", k.Username)
	v.inEnvFile("kafka.password", k.Password)
}

// inEnvFile reports what an environment file cannot carry of a value that
// others chose.
func (v *validator) inEnvFile(path, value string) {
	if strings.ContainsFunc(value, func(r rune) bool { return r == '\'' || r == '\\' || unicode.IsControl(r) }) {
		v.add(path, "holds a quote, a backslash or a control character", "none of them, since it stands in an env file")
	}
}

// kafkaWithoutBrokers reports settings that only external brokers have.
func (v *validator) kafkaWithoutBrokers() {
	k := v.Kafka
	for _, setting := range []struct {
		key string
		set bool
	}{
		{"tls", k.TLS},
		{"caRoot", k.CARoot != ""},
		{"saslMechanism", k.SASLMechanism != ""},
		{"username", k.Username != ""},
		{"password", k.Password != ""},
	} {
		if setting.set {
			v.add("kafka."+setting.key, "is set without brokers", "brokers too: the embedded Redpanda has none of this")
		}
	}
}

func isHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	number, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || number < 1 || number > 65535 || strconv.Itoa(number) != port || host == "" {
		return false
	}
	if net.ParseIP(host) != nil {
		return true
	}
	canonical, err := names.ToASCII(host)
	return err == nil && strings.EqualFold(canonical, host)
}

func (v *validator) vault() {
	if v.Vault == nil {
		return
	}
	const want = "for example https://vault.example.com:8200"
	if v.require("vault.address", v.Vault.Address, want) {
		if problem := vaultAddress(v.Vault.Address); problem != "" {
			v.add("vault.address", problem, want)
		}
	}
	v.require("vault.token", v.Vault.Token, "the services' token")
	v.inEnvFile("vault.token", v.Vault.Token)
}

// vaultAddress says what is wrong with an address to which a token is sent.
func vaultAddress(text string) string {
	if !isURL(text, "https", "http") {
		return "is not a URL"
	}
	u, err := url.Parse(text)
	if err != nil {
		return "is not a URL"
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	switch {
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "says more than scheme, host and port"
	case u.Hostname() == "localhost" || ip.IsLoopback():
		return "is the service's own container"
	case u.Scheme == "http" && !ip.IsPrivate():
		return "sends the token in clear over the Internet"
	}
	return ""
}

var (
	appleID      = regexp.MustCompile(`^[A-Z0-9]{10}$`)
	bundleSyntax = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

func (v *validator) apns() {
	a := v.APNs
	if a == nil {
		return
	}
	for _, field := range []struct {
		path, value, want string
		syntax            *regexp.Regexp
	}{
		{"apns.keyId", a.KeyID, "10 capital letters and digits", appleID},
		{"apns.teamId", a.TeamID, "10 capital letters and digits", appleID},
		{"apns.bundleId", a.BundleID, "for example com.example.chat", bundleSyntax},
		{"apns.environment", a.Environment, "production or development", regexp.MustCompile(`^(production|development)$`)},
	} {
		if v.require(field.path, field.value, field.want) && !field.syntax.MatchString(field.value) {
			v.add(field.path, "is malformed", field.want)
		}
	}
	const want = "the content of Apple's .p8 file"
	if !v.require("apns.key", a.Key, want) {
		return
	}
	if block, _ := pem.Decode([]byte(a.Key)); block == nil {
		v.add("apns.key", "is not PEM", want)
	} else if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil || !isECDSA(key) {
		v.add("apns.key", "is not an elliptic-curve private key", want)
	}
}

func isECDSA(key any) bool {
	_, ok := key.(*ecdsa.PrivateKey)
	return ok
}

// mediaReserveGB is what uploads keep of the media volume, whatever the
// metrics take.
const mediaReserveGB = 1

func (v *validator) monitoring() {
	m := v.Monitoring
	v.inRange("monitoring.retentionDays", m.RetentionDays, 1, 3650)
	v.inRange("monitoring.retentionGb", m.RetentionGB, 1, maxVolumeGB)
	if most := v.Roles.Media.VolumeGB - mediaReserveGB; v.Roles.MediaEnabled && m.RetentionGB > most && most > 0 {
		v.add("monitoring.retentionGb", "does not fit on the media volume", fmt.Sprintf("at most %d", most))
	}
	v.receivers()
}

func (v *validator) logs() {
	v.inRange("logs.retentionDays", v.Logs.RetentionDays, 1, 365)
	if v.Logs.Enabled && !v.Roles.MediaEnabled {
		v.add("logs.enabled", "is true without a media server to keep them", "roles.media.enabled: true, or false")
	}
}
