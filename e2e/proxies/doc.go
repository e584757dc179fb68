// Package proxies holds tests that put real proxies, with the very configurations
// of examples/, between clients and an application, and ask hallpass through them.
// The same questions are asked of hallpass's own proxy: each has one answer.
package proxies
