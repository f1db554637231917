package main

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

const maxBody = 16 << 20

// receive decodes an OTLP/HTTP export of log records. LogsData has the wire
// form of the request.
func receive(r *http.Request, labels []string) ([]line, error) {
	body := io.Reader(http.MaxBytesReader(nil, r.Body, maxBody))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		body = io.LimitReader(unzipped, maxBody)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	var data logs.LogsData
	if err := proto.Unmarshal(raw, &data); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	var lines []line
	for _, resource := range data.GetResourceLogs() {
		set := labelsOf(resource.GetResource().GetAttributes(), labels)
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				at := cmp.Or(record.GetTimeUnixNano(), record.GetObservedTimeUnixNano(), uint64(time.Now().UnixNano())) //nolint:gosec // positive
				lines = append(lines, line{Nanos: int64(at), Labels: set, Text: text(record.GetBody())})                //nolint:gosec // until 2262
			}
		}
	}
	return lines, nil
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// labelsOf picks the attributes that are labels. A stream without any is told
// by one that says so.
func labelsOf(attributes []*common.KeyValue, names []string) map[string]string {
	set := map[string]string{}
	for _, a := range attributes {
		if slices.Contains(names, a.GetKey()) {
			set[notInNames.ReplaceAllString(a.GetKey(), "_")] = text(a.GetValue())
		}
	}
	if len(set) == 0 {
		set["service_name"] = "unknown_service"
	}
	return set
}

func text(v *common.AnyValue) string {
	switch x := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return x.StringValue
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(x.IntValue, 10)
	case *common.AnyValue_BoolValue:
		return strconv.FormatBool(x.BoolValue)
	case *common.AnyValue_DoubleValue:
		return strconv.FormatFloat(x.DoubleValue, 'g', -1, 64)
	case nil:
		return ""
	}
	return v.String()
}
