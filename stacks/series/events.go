package series

// Events are the selectors that may select nothing although all is well: their
// series begin with an event that a healthy deployment may never see. Every
// other selector must have series.
func Events() map[string]string {
	const firing = "no alert need be firing"
	return map[string]string{
		`ALERTS{alertstate="firing",severity!="none"}`:                             firing,
		`ALERTS{alertname="NobodyIsTold",alertstate="firing"}`:                     "fires only without a receiver",
		`redis_errors_total{err="OOM"}`:                                            "begins with the first write that Redis refuses",
		`redis_errors_total`:                                                       "begins with the first error that Redis answers",
		`caddy_http_request_duration_seconds_count{code=~"5..",server!="metrics"}`: "begins with the first failed request",
		`caddy_http_request_duration_seconds_count{code="429",server!="metrics"}`:  "begins with the first client that asks too much",
		`redpanda_kafka_consumer_group_committed_offset`:                           "begins with the first message that the worker sees twice: it commits on nothing else",
		`otelcol_exporter_send_failed_log_records`:                                 "begins with the first line that Loki refuses",
		`loki_discarded_samples_total`:                                             "begins with the first line that Loki refuses",
	}
}
