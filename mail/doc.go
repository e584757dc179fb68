// Package mail takes a message to one reader: by SMTP, into a folder, to a log, or
// to a webhook. Open makes the Sender that a DSN names.
//
// An Address has one spelling, so that the mail goes to exactly the address that
// was checked. A Sender says of every failure whether a retry can help: an error
// that is ErrRejected is final, any other may pass. No error holds the text of a
// message, a code, a link or a password.
package mail
