// Package bus carries messages between the messaging service and the delivery
// worker over Kafka, and on into the recipients' Redis streams.
package bus
