package memstore_test

import (
	"testing"

	"github.com/hallpass-go/hallpass"
	"github.com/hallpass-go/hallpass/memstore"
	"github.com/hallpass-go/hallpass/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) hallpass.Store { return memstore.New() }, nil)
}
