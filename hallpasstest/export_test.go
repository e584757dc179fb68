package hallpasstest

// Patience is how long Next waits.
const Patience = patience
