package cli

import (
	"context"

	"github.com/hallpass-go/hallpass/internal/openstore"
)

type migrateCmd struct {
	Index []string `placeholder:"FIELD,…" sep:"," help:"Make passes quick to find by these too, at the price of slower recording: subject, recipient, expires_at."`
}

func (c *migrateCmd) Run(ctx context.Context, a *app) error {
	store, err := openstore.Open(ctx, a.grammar.Store, &openstore.Options{Create: true, Migrate: true, Indexes: c.Index})
	if err != nil {
		return err
	}
	defer store.Close()
	if a.grammar.JSON {
		return a.print(struct {
			Store   string `json:"store"`
			Kind    string `json:"kind"`
			Created bool   `json:"created"`
		}{store.Name, string(store.Kind), store.Created})
	}
	if store.Created {
		return a.line("Made the store %s.", store.Name)
	}
	return a.line("The store %s is up to date.", store.Name)
}
