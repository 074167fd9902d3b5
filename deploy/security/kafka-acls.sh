#!/bin/sh
# The rights of orderstream in Kafka: all that it needs, and nothing else. Run by an administrator, with Kafka's bin
# folder on the PATH; the arguments go to each command:
#
#   sh deploy/security/kafka-acls.sh --bootstrap-server kafka:9093 --command-config admin.properties
#
# Topics and group are named as by the worker's own settings; set them here too where they are not the default.
# The principals stand for SASL users. With client certificates they are their subjects, such as "User:CN=orderstream".
set -eu
: "${ORDERSTREAM_GROUP:=orderstream}"
: "${ORDERSTREAM_TOPIC_CREATE:=order-create}" "${ORDERSTREAM_TOPIC_UPDATE:=order-update}"
: "${ORDERSTREAM_TOPIC_STATUS:=order-status-changed}" "${ORDERSTREAM_TOPIC_REJECTED:=order-rejected}"

allow() {
    principal=$1
    shift
    kafka-acls.sh "$@" --add --allow-principal "User:$principal"
}

# The worker: `orderstream run`. Read and Write include Describe; its idempotent producer needs nothing more.
allow orderstream "$@" --operation Read --operation DescribeConfigs \
    --topic "$ORDERSTREAM_TOPIC_CREATE" --topic "$ORDERSTREAM_TOPIC_UPDATE"
allow orderstream "$@" --operation Write --operation DescribeConfigs \
    --topic "$ORDERSTREAM_TOPIC_STATUS" --topic "$ORDERSTREAM_TOPIC_REJECTED"
allow orderstream "$@" --operation Read --group "$ORDERSTREAM_GROUP"

# Whoever sets it up and looks after it: `orderstream topics`.
allow orderstream-setup "$@" --operation Create --operation Describe --operation DescribeConfigs \
    --topic "$ORDERSTREAM_TOPIC_CREATE" --topic "$ORDERSTREAM_TOPIC_UPDATE" \
    --topic "$ORDERSTREAM_TOPIC_STATUS" --topic "$ORDERSTREAM_TOPIC_REJECTED"
allow orderstream-setup "$@" --operation Describe --group "$ORDERSTREAM_GROUP"

# Producers: `orderstream publish`, `orderstream rejected replay`.
allow orderstream-producer "$@" --operation Write \
    --topic "$ORDERSTREAM_TOPIC_CREATE" --topic "$ORDERSTREAM_TOPIC_UPDATE"

# Readers of events: `orderstream tail`, and every subscriber, who needs Read on a group of his own too.
allow orderstream-reader "$@" --operation Read --topic "$ORDERSTREAM_TOPIC_STATUS"

# Readers of rejections, which hold the messages with all personal data: `orderstream rejected …`, `explain --rejected`.
allow orderstream-support "$@" --operation Read --topic "$ORDERSTREAM_TOPIC_REJECTED"
