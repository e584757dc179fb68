package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hallpass-go/hallpass"
)

// DirConfig is what a Dir needs. Folder and From are required.
type DirConfig struct {
	// Folder is where the messages go. It is made, for its owner alone, if it is
	// not there.
	Folder string
	// From is who the mails are from, as in SMTPConfig.
	From string
	// Now is the clock of file names and of the Date field. Defaults to time.Now.
	Now func() time.Time
}

// Dir writes each message into a file of its own: RFC 5322 text, readable for the
// owner alone, as codes and links are in it. The names, such as
// 20260102T150405.000000Z-KZ….eml, sort by time. A file appears whole or not at all.
// Files stay until somebody removes them.
type Dir struct {
	folder string
	from   author
	now    func() time.Time
}

// NewDir makes the folder if it has to. Its error is a *hallpass.FieldError with
// field "mail".
func NewDir(cfg DirConfig) (*Dir, error) {
	from, err := parseAuthor(cfg.From, "mail")
	if err != nil {
		return nil, err
	}
	if cfg.Folder == "" {
		return nil, &hallpass.FieldError{Field: "mail", Reason: "names no folder; use dir:FOLDER"}
	}
	if err := os.MkdirAll(cfg.Folder, 0o700); err != nil {
		return nil, &hallpass.FieldError{Field: "mail", Reason: "the folder cannot be made: " + pathless(err).Error()}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Dir{cfg.Folder, from, cfg.Now}, nil
}

// Send writes the file. When it returns nil, the message survives a power cut. The
// same message sent twice makes two files with one Message-ID.
func (d *Dir) Send(ctx context.Context, m Message) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mail: %w", context.Cause(ctx))
	}
	now := d.now().UTC()
	content, err := compose(&m, d.from, now)
	if err != nil {
		return err
	}
	name := now.Format("20060102T150405.000000Z") + "-" + rand.Text()
	if err := writeWhole(d.folder, name+".eml", content); err != nil {
		return fmt.Errorf("mail: writing into the folder: %w", pathless(err))
	}
	return nil
}

// writeWhole makes a file that is complete from the moment it has its name. Mail
// programs do not look at names with a dot in front.
func writeWhole(folder, name string, content []byte) (err error) {
	temporary := filepath.Join(folder, "."+name+".part")
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(folder, name)); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the new name durable, where folders can be synchronised.
func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	_ = dir.Sync() // some systems refuse this, and have no other way
	return dir.Close()
}

// pathless is the reason alone: the folder's name is part of the DSN.
func pathless(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
