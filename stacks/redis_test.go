package stacks

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair is a primary and its copy, in step.
func redisPair(t *testing.T, d Deployment) (primary, replica *redisServer) {
	t.Helper()
	primary = newRedis(t, d, DB, 0).start(t)
	replica = newRedis(t, d, Message, primary.port).start(t)
	return primary, replica
}

func TestRedisPairRuns(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	ctx := t.Context()
	primary, replica := redisPair(t, d)
	app := primary.application(t, d)

	// What the services do to it.
	for what, err := range map[string]error{
		"XADD":    app.XAdd(ctx, &redis.XAddArgs{Stream: "delivery_queue:offline:u", MaxLen: 10000, Approx: true, Values: []string{"m", "1"}}).Err(),
		"XTRIM":   app.XTrimMinID(ctx, "delivery_queue:offline:u", "0").Err(),
		"SETEX":   app.SetEx(ctx, "processed_msg:1", "1", time.Hour).Err(),
		"EVAL":    app.Eval(ctx, "return redis.call('INCR', KEYS[1])", []string{"rate:1"}).Err(),
		"PUBLISH": app.Publish(ctx, "online_users", "u").Err(),
		"KEYS":    app.Keys(ctx, "session:*").Err(),
	} {
		require.NoError(t, err, what)
	}
	reader := replica.application(t, d)
	waitFor(t, 5*time.Second, "the copy", func() error { return reader.Get(ctx, "processed_msg:1").Err() })

	monitor := replica.client(t, redisMonitorUser, d.Secrets.RedisMonitorPassword)
	for what, err := range map[string]error{
		"a write to the replica":           reader.Set(ctx, "x", "1", 0).Err(),
		"no user":                          primary.client(t, "", "").Ping(ctx).Err(),
		"the default user":                 primary.client(t, "default", d.Secrets.RedisPassword).Ping(ctx).Err(),
		"FLUSHALL by the application":      app.FlushAll(ctx).Err(),
		"CONFIG by the application":        app.ConfigGet(ctx, "*").Err(),
		"ACL by the application":           app.ACLList(ctx).Err(),
		"CONFIG by the monitor":            monitor.ConfigGet(ctx, "masterauth").Err(),
		"data for the monitor":             monitor.Get(ctx, "processed_msg:1").Err(),
		"data for the replica's user":      primary.client(t, redisReplicaUser, d.Secrets.RedisReplicaPassword).Get(ctx, "x").Err(),
		"the replica's user with a secret": primary.client(t, redisReplicaUser, "wrong").Ping(ctx).Err(),
	} {
		assert.True(t, err != nil && !errors.Is(err, redis.Nil), "%s is admitted (%v)", what, err)
	}
	info := primary.mustScript(t, "admin.sh", "INFO")
	for _, want := range []string{"maxmemory_policy:noeviction", "aof_enabled:1", "connected_slaves:1"} {
		assert.Contains(t, info, want)
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", primary.process.Process.Pid))
	require.NoError(t, err)
	assert.NotContains(t, string(args), canary, "a secret on the command line")
}

// What was acknowledged is there after a kill -9, in the middle of writes: the
// append-only file is written before each answer, and synced every second, which
// only a host's crash can undo. Where the disk takes its time to sync, Redis holds
// back what it writes meanwhile, for at most two seconds (aof.c,
// flushAppendOnlyFile): that much a kill may cost.
func TestRedisSurvivesAKill(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	ctx := t.Context()
	s := newRedis(t, d, DB, 0).start(t)
	app := s.application(t, d)
	const heldBack = 2 * time.Second
	acknowledged := make(chan []time.Time)
	go func() {
		var at []time.Time
		for app.XAdd(ctx, &redis.XAddArgs{Stream: "delivery_queue:offline:u", Values: []string{"n", strconv.Itoa(len(at) + 1)}}).Err() == nil {
			at = append(at, time.Now())
		}
		acknowledged <- at
	}()
	time.Sleep(2 * heldBack)
	killed := time.Now()
	s.kill()
	all := <-acknowledged
	n, _ := slices.BinarySearchFunc(all, killed.Add(-heldBack), time.Time.Compare)
	require.Greater(t, n, 1000, "too few writes to tell anything")

	s.start(t)
	entries, err := s.application(t, d).XRange(ctx, "delivery_queue:offline:u", "-", "+").Result()
	require.NoError(t, err)
	t.Logf("%d acknowledged, %d there", len(all), len(entries))
	require.GreaterOrEqual(t, len(entries), n, "acknowledged messages are lost")
	assert.Equal(t, strconv.Itoa(n), entries[n-1].Values["n"])
}

// Full, it refuses to take more, and neither forgets nor stops to give. With a
// fork that copies what is overwritten, it stays within its container.
func TestRedisFull(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	d.Memory[Message] = 8192 // or the copy's server would set the bound
	ctx := t.Context()
	s := newRedis(t, d, DB, 0).start(t)
	app := s.application(t, d)
	r, err := newRenderer(d, DB)
	require.NoError(t, err)
	bound, limit := r.view().RedisMaxMB, limitOf(t, d, DB, "redis-primary")
	require.NoError(t, app.XAdd(ctx, &redis.XAddArgs{Stream: "inbox", Values: []string{"m", "first"}}).Err())

	value := bytes.Repeat([]byte("x"), 64<<10)
	stored := 0
	for ; err == nil; stored++ {
		err = app.Set(ctx, fmt.Sprintf("fill:%d", stored), value, 0).Err()
		require.Less(t, stored, bound*20, "it takes more than its bound")
	}
	require.ErrorContains(t, err, "OOM")
	require.Greater(t, stored, bound*12, "it is full too early")
	messages := 1 // a short message may still fit
	for err = nil; err == nil; messages++ {
		err = app.XAdd(ctx, &redis.XAddArgs{Stream: "inbox", Values: []string{"m", "another"}}).Err()
		require.Less(t, messages, 100_000, "it takes more than its bound")
	}
	require.ErrorContains(t, err, "OOM")
	require.NoError(t, app.Get(ctx, "fill:0").Err(), "the oldest was evicted")
	inbox, err := app.XRead(ctx, &redis.XReadArgs{Streams: []string{"inbox", "0"}, Block: -1}).Result()
	require.NoError(t, err)
	assert.Len(t, inbox[0].Messages, messages-1)
	assert.Contains(t, s.mustScript(t, "admin.sh", "INFO", "stats"), "evicted_keys:0")

	for i := range stored / 10 {
		require.NoError(t, app.Del(ctx, fmt.Sprintf("fill:%d", i)).Err(), "it cannot be emptied")
	}
	waitFor(t, 30*time.Second, "a rewrite", func() error { // one of its own may still be going on
		if said := s.mustScript(t, "admin.sh", "BGREWRITEAOF"); !strings.HasSuffix(said, "started") {
			return errors.New(said)
		}
		return nil
	})
	most := 0
	for i := range stored * 9 / 10 { // what the services do meanwhile
		require.NoError(t, app.Set(ctx, fmt.Sprintf("fill:%d", stored/10+i), value, 0).Err())
		if i%25 != 0 {
			continue
		}
		if resident, forked := s.residentMB(t); forked {
			most = max(most, resident)
		}
	}
	require.Positive(t, most, "no fork was seen")
	assert.LessOrEqual(t, most, limit, "resident MB, with the fork's copies")
	t.Logf("bound %d MB, limit %d MB, at most %d MB resident with a fork", bound, limit, most)
}

// A new password is one change of configuration: nobody is cut off, and the old
// one lets in until the services on the other hosts have the new one.
func TestRedisPasswordRotates(t *testing.T) {
	t.Parallel()
	before, after := testDeployment(), testDeployment()
	after.Secrets.RedisPassword = canary + "another-redis-password-0000"
	ctx := t.Context()
	primary, replica := redisPair(t, before)
	id := func() string { return primary.mustScript(t, "admin.sh", "INFO", "server") }
	runID, _, _ := strings.Cut(id()[strings.Index(id(), "run_id:"):], "\r")

	pooled := primary.application(t, before)
	require.NoError(t, pooled.Ping(ctx).Err())
	feed := primary.application(t, before).Subscribe(ctx, "online_users")
	t.Cleanup(func() { _ = feed.Close() })
	_, err := feed.Receive(ctx)
	require.NoError(t, err)
	works := func(s *redisServer, d Deployment) error { return s.application(t, d).Ping(ctx).Err() }
	require.ErrorContains(t, works(primary, after), "WRONGPASS")

	for _, s := range []*redisServer{primary, replica} {
		s.configure(t, after)
		s.mustScript(t, "reload.sh")
		require.NoError(t, works(s, after), "new password")
		require.NoError(t, works(s, before), "old password, within its hour")
	}
	require.NoError(t, pooled.Ping(ctx).Err(), "a connection was cut")
	require.NoError(t, primary.application(t, after).Publish(ctx, "online_users", "u").Err())
	said, err := feed.ReceiveTimeout(ctx, 5*time.Second)
	require.NoError(t, err, "a subscription was cut")
	assert.IsType(t, &redis.Message{}, said)
	assert.Contains(t, id(), runID, "the server was restarted")
	assert.Contains(t, replica.mustScript(t, "admin.sh", "INFO", "replication"), "master_link_status:up")

	// Another release within the hour does not prolong it; its end does.
	mark := filepath.Join(primary.data, "construct-replaced")
	require.NoError(t, os.Chtimes(mark, time.Now(), time.Now().Add(-59*time.Minute)))
	primary.mustScript(t, "reload.sh")
	primary.mustScript(t, "health.sh")
	require.NoError(t, works(primary, before))
	require.NoError(t, os.Chtimes(mark, time.Now(), time.Now().Add(-62*time.Minute)))
	primary.mustScript(t, "health.sh")
	require.ErrorContains(t, works(primary, before), "WRONGPASS", "old password, after its hour")
	require.NoError(t, works(primary, after))
	require.NoError(t, pooled.Ping(ctx).Err(), "a connection from before the change")
	assert.NoFileExists(t, mark)

	// Who is no longer named is gone.
	primary.mustScript(t, "admin.sh", "ACL", "SETUSER", "stranger", "on", ">secret", "+ping")
	primary.mustScript(t, "reload.sh")
	assert.NotContains(t, primary.mustScript(t, "admin.sh", "ACL", "LIST"), "stranger")
}

// A promoted copy takes writes, keeps them over a crash, and gives everything
// back to a primary that starts empty.
func TestRedisReplicaIsPromoted(t *testing.T) {
	t.Parallel()
	d := testDeployment()
	ctx := t.Context()
	lost, copied := redisPair(t, d)
	app := lost.application(t, d)
	require.NoError(t, app.XAdd(ctx, &redis.XAddArgs{Stream: "delivery_queue:offline:u", Values: []string{"m", "1"}}).Err())
	require.NoError(t, app.SetEx(ctx, `a "key" with\ signs`, "1", time.Hour).Err())
	reader := copied.application(t, d)
	waitFor(t, 5*time.Second, "the copy", func() error { return reader.Get(ctx, `a "key" with\ signs`).Err() })
	out, err := copied.script("give-back.sh")
	require.Error(t, err, out)

	lost.kill()
	require.NoError(t, os.RemoveAll(filepath.Join(lost.data, "appendonlydir")))
	assert.Equal(t, "promoted: 2 keys", copied.mustScript(t, "promote.sh"))
	require.NoError(t, reader.Set(ctx, "since", "promotion", 0).Err())

	lost.start(t) // empty: a copy would follow it
	assert.Zero(t, lost.application(t, d).DBSize(ctx).Val())
	copied.kill()
	copied.start(t)
	assert.EqualValues(t, 3, copied.application(t, d).DBSize(ctx).Val(), "a restart undid the promotion")

	require.NoError(t, lost.application(t, d).Set(ctx, "since", "the primary's own", 0).Err())
	assert.Equal(t, "the primary has its own: since", copied.mustScript(t, "give-back.sh"))
	returned := lost.application(t, d)
	assert.EqualValues(t, 3, returned.DBSize(ctx).Val())
	assert.EqualValues(t, 1, returned.XLen(ctx, "delivery_queue:offline:u").Val())
	assert.Greater(t, returned.TTL(ctx, `a "key" with\ signs`).Val(), 50*time.Minute)
	assert.Equal(t, "the primary's own", returned.Get(ctx, "since").Val())

	require.NoError(t, os.Remove(filepath.Join(copied.data, "promoted")))
	copied.kill()
	copied.start(t)
	assert.Contains(t, copied.mustScript(t, "admin.sh", "INFO", "replication"), "role:slave", "it follows again")
}
