package stacks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// broker is the stand-in for Redpanda and rpk on a rendered configuration. It
// takes the files, flags and commands that Redpanda 24.3's sources take, and
// refuses all others; what Redpanda makes of them is not shown here.
type broker struct {
	dir     string // the container's files
	bin     string
	kafka   string // host:port
	command []string
	process *exec.Cmd
	replace *strings.Replacer
}

func newBroker(t *testing.T, d Deployment) *broker {
	t.Helper()
	b := &broker{dir: t.TempDir(), bin: t.TempDir()}
	out, err := exec.Command("go", "build", "-o", filepath.Join(b.bin, "redpanda"), "../sim/images/broker").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink("redpanda", filepath.Join(b.bin, "rpk")))
	kafka, admin := freePort(t), freePort(t)
	b.kafka = "127.0.0.1:" + strconv.Itoa(kafka)
	for _, dir := range []string{"etc/redpanda", "data", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(b.dir, dir), 0o755))
	}
	b.replace = strings.NewReplacer(
		"/etc/construct", b.dir+"/etc/construct", "/etc/redpanda", b.dir+"/etc/redpanda", "/tmp/", b.dir+"/tmp/",
		"/var/lib/redpanda/data", b.dir+"/data", "9092", strconv.Itoa(kafka), "9644", strconv.Itoa(admin),
		"address: 0.0.0.0", "address: 127.0.0.1", "address: message.internal", "address: 127.0.0.1",
		"rpk redpanda start", "rpk redpanda start --config "+b.dir+"/etc/redpanda/redpanda.yaml",
		"export RPK_BROKERS", "export RPK_ADMIN_HOSTS=127.0.0.1:"+strconv.Itoa(admin)+" RPK_BROKERS",
	)
	b.configure(t, d)
	t.Cleanup(b.kill)
	return b
}

// configure gives the container, as a new one, a deployment's files.
func (b *broker) configure(t *testing.T, d Deployment) {
	t.Helper()
	config := filepath.Join(b.dir, "etc/construct")
	require.NoError(t, os.RemoveAll(config))
	require.NoError(t, os.RemoveAll(filepath.Join(b.dir, "tmp")))
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, "tmp"), 0o755))
	require.NoError(t, os.CopyFS(config, os.DirFS(configOf(t, d, Message, "redpanda"))))
	files, err := filepath.Glob(filepath.Join(config, "*"))
	require.NoError(t, err)
	for _, name := range files {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, []byte(b.replace.Replace(string(content))), 0o600))
	}
	service := mustParse(t, mustRender(t, d, Message)).Services["redpanda"]
	b.command = strings.Fields(b.replace.Replace(strings.Join(append(service.Entrypoint, service.Command...), " ")))
}

func (b *broker) run(args ...string) *exec.Cmd {
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "PATH="+b.bin+":"+os.Getenv("PATH"))
	return c
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(b.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer func() { _ = log.Close() }()
	b.process = b.run(b.command...)
	b.process.Stdout, b.process.Stderr = log, log
	require.NoError(t, b.process.Start())
	waitFor(t, 20*time.Second, "redpanda", b.health)
}

func (b *broker) health() error {
	out, err := b.run("bash", filepath.Join(b.dir, "etc/construct/health.sh")).CombinedOutput()
	if err != nil {
		said, _ := os.ReadFile(filepath.Join(b.dir, "log"))
		return fmt.Errorf("%w: %s\n%s", err, out, said)
	}
	return nil
}

func (b *broker) kill() {
	if b.process != nil {
		_ = b.process.Process.Kill()
		_ = b.process.Wait()
		b.process = nil
	}
}

func (b *broker) rpk(t *testing.T, args ...string) string {
	t.Helper()
	// As the operator types it in the container, whose ports are the usual ones.
	admin := b.replace.Replace("127.0.0.1:9644")
	c := b.run(append([]string{filepath.Join(b.bin, "rpk")}, args...)...)
	c.Env = append(c.Env, "RPK_BROKERS="+b.kafka, "RPK_ADMIN_HOSTS="+admin)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func produce(t *testing.T, b *broker, topic string) error {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(b.kafka), kgo.DefaultProduceTopic(topic), kgo.UnknownTopicRetries(0), kgo.RecordRetries(1))
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return c.ProduceSync(ctx, kgo.StringRecord("m")).FirstErr()
}

// The topic is there when the broker is healthy, as it is declared, and no
// other appears by itself; a kill loses nothing that was acknowledged.
func TestBrokerRuns(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	b := newBroker(t, d)
	b.start(t)
	require.NoError(t, produce(t, b, kafkaTopic))
	require.ErrorIs(t, produce(t, b, "unheard-of"), kerr.UnknownTopicOrPartition, "a topic is made for whoever asks")
	assert.NotContains(t, b.rpk(t, "topic", "list"), "unheard-of")

	declared := b.rpk(t, "topic", "describe", kafkaTopic, "-c")
	// A worker's memory of what it delivered, two hours longer than a message
	// lives, ends before the topic forgets.
	const retention = (messageTTLDays*24 + 24) * 3600 * 1000
	assert.Regexp(t, fmt.Sprintf(`retention\.ms +%d`, retention), declared)
	assert.Regexp(t, `segment\.ms +86400000`, declared)
	for property, want := range map[string]string{
		"auto_create_topics_enabled": "false", "write_caching_default": "disabled", "enable_metrics_reporter": "false",
	} {
		assert.Equal(t, want, strings.TrimSpace(b.rpk(t, "cluster", "config", "get", property)), property)
	}

	b.kill()
	b.start(t)
	offsets := b.rpk(t, "topic", "describe", kafkaTopic, "-p")
	assert.Regexp(t, `(?m) 1$`, offsets, "the acknowledged message is lost:\n%s", offsets)
}

// A declaration that differs from what is there is applied by the next
// container, and messages stay.
func TestBrokerTakesAChangedDeclaration(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	b := newBroker(t, d)
	b.start(t)
	require.NoError(t, produce(t, b, kafkaTopic))
	b.rpk(t, "topic", "alter-config", kafkaTopic, "--set", "retention.ms=60000")
	b.rpk(t, "cluster", "config", "set", "write_caching_default", "true")
	b.kill()
	b.configure(t, d)
	b.start(t)
	assert.NotRegexp(t, `retention\.ms +60000`, b.rpk(t, "topic", "describe", kafkaTopic, "-c"))
	assert.Equal(t, "disabled", strings.TrimSpace(b.rpk(t, "cluster", "config", "get", "write_caching_default")))
	assert.Regexp(t, `(?m) 1$`, b.rpk(t, "topic", "describe", kafkaTopic, "-p"))
}

// Nothing of development is left on, and nothing relies on flags that rpk does
// not take.
func TestBrokerIsNoDeveloper(t *testing.T) {
	t.Parallel()
	for name, d := range variants() {
		if d.Features().ExternalKafka {
			continue
		}
		service := mustParse(t, mustRender(t, d, Message)).Services["redpanda"]
		line := strings.Join(append(service.Entrypoint, service.Command...), " ")
		for _, bad := range []string{"--mode", "--set", "unsafe", "developer"} {
			assert.NotContains(t, line, bad, name)
		}
		file, err := os.ReadFile(filepath.Join(configOf(t, d, Message, "redpanda"), "redpanda.yaml"))
		require.NoError(t, err)
		assert.Contains(t, string(file), "developer_mode: false", name)
	}
}
