package djangoimport

import (
	"regexp"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/django"
)

// keyPattern is that of hallpass.ForeignKey's id.
var keyPattern = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

func checkKey(id string) error {
	if !keyPattern.MatchString(id) {
		return &hallpass.FieldError{Field: "key", Reason: "the id of a foreign key is 1 to 32 of a-z 0-9 _"}
	}
	return nil
}

func passID(key string, row int64) string { return django.RequestTokenID(key, row) }
