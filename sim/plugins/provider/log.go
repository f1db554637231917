package provider

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// engine is the connection to the engine that messages go to.
type engine struct {
	conn   *grpc.ClientConn
	client pulumirpc.EngineClient
}

func dialEngine(address string) (*engine, error) {
	if address == "" {
		return &engine{}, nil
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
	if err != nil {
		return nil, fmt.Errorf("dial engine: %w", err)
	}
	return &engine{conn: conn, client: pulumirpc.NewEngineClient(conn)}, nil
}

func (e *engine) close() error {
	if e.conn == nil {
		return nil
	}
	return e.conn.Close()
}

type logKey struct{}

// logger sends messages about one resource.
type logger struct {
	engine *engine
	urn    resource.URN
}

func withLog(ctx context.Context, e *engine, urn resource.URN) context.Context {
	return context.WithValue(ctx, logKey{}, logger{engine: e, urn: urn})
}

// Status shows a passing message beside the resource that ctx is about.
func Status(ctx context.Context, format string, args ...any) {
	send(ctx, pulumirpc.LogSeverity_INFO, true, fmt.Sprintf(format, args...))
}

// Warn prints a lasting warning for the resource that ctx is about.
func Warn(ctx context.Context, format string, args ...any) {
	send(ctx, pulumirpc.LogSeverity_WARNING, false, fmt.Sprintf(format, args...))
}

// Fail prints a lasting error for the resource that ctx is about.
func Fail(ctx context.Context, format string, args ...any) {
	send(ctx, pulumirpc.LogSeverity_ERROR, false, fmt.Sprintf(format, args...))
}

// send is best effort: a message that cannot be shown must not fail the work.
func send(ctx context.Context, severity pulumirpc.LogSeverity, ephemeral bool, message string) {
	l, ok := ctx.Value(logKey{}).(logger)
	if !ok || l.engine.client == nil {
		return
	}
	_, _ = l.engine.client.Log(context.WithoutCancel(ctx), &pulumirpc.LogRequest{
		Severity: severity, Urn: string(l.urn), Message: message, Ephemeral: ephemeral,
	})
}
