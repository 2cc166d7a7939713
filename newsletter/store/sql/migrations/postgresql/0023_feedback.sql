-- The few events that can be a reason to stop a broadcast, among the very many others.
CREATE INDEX event_of_trouble ON event (broadcast, type, subscriber, cause)
WHERE type IN ('blocked', 'bounced', 'complained', 'unsubscribed');
