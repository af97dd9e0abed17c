# The service as a container image: one program, no build tools, an ordinary user, nothing written anywhere.
# docs/setup-service.md says how it is run; deploy/image/check builds it and holds it to that.

# Both of the same Debian, so that the program finds the C library that it was linked with. A builder without a network gives
# images of its own.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-bookworm
ARG RUN_IMAGE=docker.io/library/debian:bookworm-slim

# The dependencies alone, against empty sources: this layer is built anew only when a manifest or the lock file changes.
FROM ${BUILD_IMAGE} AS dependencies
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates crates
# The empty program goes again: what cargo takes for fresh would otherwise hang on the times of files.
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' >src/main.rs \
 && for crate in crates/*; do mkdir "$crate/src" && touch "$crate/src/lib.rs" && echo 'fn main() {}' >"$crate/src/main.rs"; done \
 && cargo build --release --locked --package tenant-bridge --bin tenant-bridge \
 && cargo clean --release --package tenant-bridge

FROM dependencies AS build
COPY .sqlx .sqlx
COPY migrations migrations
COPY openapi openapi
COPY src src
RUN cargo build --release --locked --package tenant-bridge --bin tenant-bridge

FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tenant Bridge" \
      org.opencontainers.image.description="Connects Azure Data Explorer to event streams in another Microsoft Entra tenant, on behalf of the people who ask" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The authorities that Entra's, ARM's and the database's certificates are checked against. `upstream.ca_file` adds to them.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/tenant-bridge/
COPY --from=build /build/target/release/tenant-bridge /usr/local/bin/tenant-bridge
# By number, so that an orchestrator can see that it is not root. It owns nothing.
USER 65532:65532
WORKDIR /
# Loopback, the default, is of no use in a container. Like every variable, this one wins over the file.
ENV TENANT_BRIDGE__SERVER__LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether it lives: a database that is away is no reason to start the service anew. Ask `health --ready` before sending traffic.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["/usr/local/bin/tenant-bridge", "health"]
ENTRYPOINT ["/usr/local/bin/tenant-bridge"]
CMD ["serve"]
