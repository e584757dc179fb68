// Package e2e holds the tests of the whole: the binary as it is shipped, run as a
// process, asked over HTTP and opened in a browser.
package e2e
