package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/construct-server/infra/sim/construct/settings"
)

// Work consumes the group until ctx ends. Like the real worker it commits an
// offset only on seeing a duplicate, so the group's lag grows until a restart
// replays the topic from the last commit.
func Work(ctx context.Context, k settings.Kafka, inbox *Inbox) error {
	opts, err := clientOptions(k)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts,
		kgo.ConsumerGroup(k.ConsumerGroup),
		kgo.ConsumeTopics(k.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		// A killed worker never leaves its group, so the next one waits this long
		// for its partitions. The real value is not known.
		kgo.SessionTimeout(10*time.Second),
		kgo.MetadataMinAge(time.Second),
		kgo.MetadataMaxAge(30*time.Second))...)
	if err != nil {
		return fmt.Errorf("create Kafka consumer: %w", err)
	}
	defer client.Close()
	log.Printf("consuming %s as %s from %v", k.Topic, k.ConsumerGroup, k.Brokers)
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		for _, e := range fetches.Errors() {
			log.Printf("fetch %s/%d: %v", e.Topic, e.Partition, e.Err)
		}
		for _, r := range fetches.Records() {
			handle(ctx, client, inbox, r)
		}
	}
}

// handle delivers one record, and tries again for as long as Redis refuses:
// the worker must not pass over a message.
func handle(ctx context.Context, client *kgo.Client, inbox *Inbox, r *kgo.Record) {
	var m Message
	if err := json.Unmarshal(r.Value, &m); err != nil {
		log.Printf("skip malformed record %s/%d@%d: %v", r.Topic, r.Partition, r.Offset, err)
		return
	}
	for {
		duplicate, err := inbox.Deliver(ctx, m)
		if err == nil && !duplicate {
			log.Printf("delivered %s", m.ID)
			return
		}
		if err == nil {
			if err := client.CommitRecords(ctx, r); err != nil {
				log.Printf("commit %s/%d@%d: %v", r.Topic, r.Partition, r.Offset, err)
			}
			return
		}
		log.Printf("deliver: %v", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
