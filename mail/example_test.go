package mail_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hallpass-go/hallpass/mail"
)

func ExampleOpen() {
	sender, closeSender, err := mail.Open("log", &mail.OpenOptions{Log: os.Stdout})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer closeSender()
	to, err := mail.ParseAddress(" Hugo@EXAMPLE.com ")
	if err != nil {
		fmt.Println(err) // email: …
		return
	}
	err = sender.Send(context.Background(), mail.Message{
		ID: "0192f4c8", To: to, Kind: "login", Subject: "Your code", Text: "Your code:\n\n492817\n",
	})
	switch {
	case errors.Is(err, mail.ErrRejected):
		fmt.Println("give up:", err)
	case err != nil:
		fmt.Println("try again later, with the same ID:", err)
	}
	// Output:
	// ------------------------------------------------------------
	// To: hugo@example.com
	// Subject: Your code
	//
	// Your code:
	//
	// 492817
	// ------------------------------------------------------------
}

func ExampleVerifyWebhook() {
	secret := []byte(os.Getenv("HOOK_SECRET"))
	http.HandleFunc("POST /hook", func(w http.ResponseWriter, r *http.Request) {
		body, err := mail.VerifyWebhook(r, secret, time.Now())
		if err != nil {
			http.Error(w, "not from hallpass", http.StatusUnauthorized)
			return
		}
		fmt.Println(len(body), "bytes to send on; its id tells a repeat")
		w.WriteHeader(http.StatusAccepted)
	})
}

func ExamplePatterns_Allows() {
	allowed, err := mail.ParsePatterns([]string{"hugo@example.com", "*@example.org"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"HUGO@example.com", "greta@example.com", "greta@example.org", "greta@a.example.org"} {
		address, _ := mail.ParseAddress(text)
		fmt.Println(address, allowed.Allows(address))
	}
	// Output:
	// hugo@example.com true
	// greta@example.com false
	// greta@example.org true
	// greta@a.example.org false
}
