// The main jobs with a generated Go client, against a sandbox: create, list, remove. The environment says where and with what; each
// step prints `ok` or `not ok`, and the last line counts them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"scenario/tenantbridge"
)

var passed, failed int

func step(name string, run func() error) {
	if err := run(); err != nil {
		failed++
		fmt.Printf("not ok - go: %s\n%v\n", name, err)
		return
	}
	passed++
	fmt.Printf("ok - go: %s\n", name)
}

func main() {
	configuration := tenantbridge.NewConfiguration()
	configuration.Servers = tenantbridge.ServerConfigurations{{URL: os.Getenv("SERVICE")}}
	api := tenantbridge.NewAPIClient(configuration).ConnectionsAPI
	ctx := context.WithValue(context.Background(), tenantbridge.ContextAccessToken, os.Getenv("ACTOR"))
	auxiliary := "Bearer " + os.Getenv("OTHER")

	hub := tenantbridge.NewCreateEventHub(os.Getenv("HUB"))
	hub.SetConsumerGroup("cg1")
	target := tenantbridge.NewCreateTarget(os.Getenv("DATABASE"))
	target.SetTable("Events")
	target.SetMapping("EventsMapping")
	target.SetDataFormat("JSON")
	request := *tenantbridge.NewCreateConnection("go-1", *tenantbridge.NewCreateSource(*hub), *target)
	var id string

	step("creates, and waits in the same call", func() error {
		made, _, err := api.CreateConnection(ctx).CreateConnection(request).Prefer("wait=20").
			XMsAuthorizationAuxiliary(auxiliary).IdempotencyKey("go-1").Execute()
		if err != nil {
			return told(err)
		}
		id = made.GetId()
		return equal(made.GetState(), "active")
	})
	step("lists", func() error {
		page, _, err := api.ListConnections(ctx).Limit(200).Execute()
		if err != nil {
			return told(err)
		}
		for _, connection := range page.GetValue() {
			if connection.GetId() == id {
				return equal(connection.GetName(), "go-1")
			}
		}
		return errors.New("the connection is not in the list")
	})
	step("finds the same when it repeats itself", func() error {
		same, _, err := api.CreateConnection(ctx).CreateConnection(request).
			XMsAuthorizationAuxiliary(auxiliary).IdempotencyKey("go-1").Execute()
		if err != nil {
			return told(err)
		}
		return equal(same.GetId(), id)
	})
	step("is told which access is missing", func() error {
		request.SetName("go-2")
		_, response, err := api.CreateConnection(ctx).CreateConnection(request).Execute()
		var failure *tenantbridge.GenericOpenAPIError
		if !errors.As(err, &failure) {
			return fmt.Errorf("was not rejected: %v", err)
		}
		problem, isProblem := failure.Model().(tenantbridge.Problem)
		if !isProblem || response.StatusCode != 403 || len(problem.GetMissing()) == 0 {
			return told(err)
		}
		return equal(problem.GetCode(), "accessMissing")
	})
	step("reads words and members of a later version", func() error {
		connection, _, err := api.GetConnection(ctx, id).Execute()
		if err != nil {
			return told(err)
		}
		text, _ := json.Marshal(connection)
		var members map[string]any
		_ = json.Unmarshal(text, &members)
		members["state"], members["later"] = "later", true
		text, _ = json.Marshal(members)
		var later tenantbridge.Connection
		if err := json.Unmarshal(text, &later); err != nil {
			return err
		}
		return equal(later.GetState(), "later")
	})
	step("removes", func() error {
		gone, _, err := api.RemoveConnection(ctx, id).Prefer("wait=20").Execute()
		if err != nil {
			return told(err)
		}
		return equal(gone.GetState(), "removed")
	})
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func equal(found, wanted string) error {
	if found != wanted {
		return fmt.Errorf("%q is not %q", found, wanted)
	}
	return nil
}

// told adds the body to an error.
func told(err error) error {
	var failure *tenantbridge.GenericOpenAPIError
	if errors.As(err, &failure) {
		return fmt.Errorf("%w: %s", err, failure.Body())
	}
	return err
}
