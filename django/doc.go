// Package django reads and makes the tokens of four Python packages, so that links
// in people's mailboxes go on working when their site leaves Django:
// django-request-token, django-jwt-expiringlinks, drf-tmp-scoped-token (values of
// django.core.signing) and jwt-email-auth.
//
// There are two layers. The functions named Decode and Loads judge exactly as the
// package's own decoder does, laxness included: they answer "what would Django have
// said", for `hallpass verify --as` and for tests, and honour nothing. The formats
// (RequestToken, ExpiringLinks, ScopedToken) are what a hallpass.Keyring takes; they
// are as strict as hallpass is with its own tokens, and the Issuer's rules for time,
// scope, quota and revocation hold on top. Where the two differ is listed, with the
// reason, in docs/django.md.
package django

import (
	"errors"
	"fmt"

	"github.com/hallpass-go/hallpass"
)

// ErrCrash marks a refusal of a token on which the Python package fails with an
// error that it does not catch, which a site answers with a 500.
var ErrCrash = errors.New("django: the package fails on this token")

// errCrash is the refusal of such a token.
var errCrash = fmt.Errorf("%w: %w", hallpass.RefusalMalformed, ErrCrash)
