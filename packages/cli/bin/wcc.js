#!/usr/bin/env node
// A file of its own, there before the first build: npm links a command only when its file exists.
await import('../bundle/main.js');
