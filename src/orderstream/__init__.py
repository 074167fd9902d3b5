"""Order messages from Kafka, one document per order in MongoDB, a status event for every change of status."""
