package mail_test

import (
	"io"
	"log/slog"
)

// newLogger writes all that a program would log.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
