package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"s3-sign-srv/internal/hooks"
)

// application knows the users. It answers GET url with {"id":42} for the session in the request's cookies, or with
// status 401 if there is none.
type application struct {
	url    string
	client *http.Client
}

func newApplication(url string) application {
	return application{url, &http.Client{
		Timeout:       3 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (a application) owner(ctx context.Context, r *http.Request) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return "", err
	}
	request.Header["Cookie"] = r.Header["Cookie"]
	response, err := a.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized {
		return "", hooks.NotLoggedIn("Please log in.")
	}
	var user struct {
		ID int64 `json:"id"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 4096)).Decode(&user)
	if err != nil || response.StatusCode != http.StatusOK || user.ID <= 0 {
		return "", fmt.Errorf("the application did not identify the caller: %s %v", response.Status, err)
	}
	return fmt.Sprintf("user/%d", user.ID), nil
}
