package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/construct-server/infra/sim/construct/bus"
	"github.com/construct-server/infra/sim/construct/gateway"
	"github.com/construct-server/infra/sim/construct/service"
	"github.com/construct-server/infra/sim/construct/settings"
	"github.com/construct-server/infra/sim/construct/store"
	"github.com/construct-server/infra/sim/construct/token"
	"github.com/construct-server/infra/sim/construct/web"
)

// run connects what the service uses, in the real order (database,
// migrations, Redis), and only then listens.
func run(conf *settings.Config, id web.Identity) error {
	ctx := context.Background()
	if conf.Service == settings.Media {
		return runMedia(ctx, conf, id)
	}
	if usesVault(conf.Service) && conf.Vault.Address != "" {
		if err := vault(ctx, conf.Vault); err != nil {
			log.Printf("warning: %v; going on without", err)
		}
	}
	var db *pgxpool.Pool
	if usesDatabase(conf.Service) {
		var err error
		if db, err = database(ctx, conf, id.Version); err != nil {
			return err
		}
		defer db.Close()
	}
	r, err := store.Redis(ctx, conf.RedisURL)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	inbox := bus.NewInbox(r, conf)
	if conf.Service == settings.DeliveryWorker {
		return bus.Work(ctx, conf.Kafka, inbox)
	}
	keys, err := token.NewKeys(conf.JWT)
	if err != nil {
		return err
	}
	if conf.GRPCAddr != "" {
		go listenGRPC(conf.GRPCAddr)
	}
	return web.Serve(fmt.Sprintf("[::]:%d", conf.Port), id.Stamp(handler(conf, id, db, r, inbox, keys)))
}

func usesDatabase(name string) bool {
	switch name {
	case settings.Auth, settings.User, settings.Notification, settings.Messaging:
		return true
	}
	return false
}

func database(ctx context.Context, conf *settings.Config, release string) (*pgxpool.Pool, error) {
	db, err := store.Postgres(ctx, conf.DatabaseURL)
	if err != nil {
		return nil, err
	}
	migrations, err := store.Migrations(release)
	if err == nil {
		err = store.Migrate(ctx, db, migrations)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return db, nil
}

func handler(conf *settings.Config, id web.Identity, db *pgxpool.Pool, r *redis.Client, inbox *bus.Inbox, keys *token.Keys) http.Handler {
	if conf.Service == settings.Gateway {
		return gateway.New(conf, r, keys).Handler(id)
	}
	mux := http.NewServeMux()
	id.Health(mux, "/health", "/health/ready", "/health/live")
	switch conf.Service {
	case settings.Auth:
		(&service.Auth{Config: conf, DB: db, Redis: r, Keys: keys}).Register(mux)
	case settings.User:
		(&service.User{DB: db, Redis: r}).Register(mux)
	case settings.Notification:
		(&service.Notification{DB: db}).Register(mux)
	case settings.Messaging:
		(&service.Messaging{Config: conf, Redis: r, Producer: bus.NewProducer(conf.Kafka), Inbox: inbox}).Register(mux)
	}
	return mux
}

func runMedia(ctx context.Context, conf *settings.Config, id web.Identity) error {
	if err := os.MkdirAll(conf.Media.StorageDir, 0o755); err != nil {
		return fmt.Errorf("make storage directory %q: %w", conf.Media.StorageDir, err)
	}
	m := &service.Media{Config: conf.Media}
	go m.Sweep(ctx)
	mux := http.NewServeMux()
	id.Health(mux, "/health")
	return web.Serve(conf.Media.BindAddress, id.Stamp(m.Handler(mux)))
}

// listenGRPC holds the service's gRPC port open. It answers no call: nothing
// that this project deploys makes one. A failed bind is only logged.
func listenGRPC(addr string) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		log.Printf("gRPC: bind %q: %v", addr, err)
		return
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Printf("gRPC: %v", err)
			return
		}
		go func() {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}()
	}
}
