import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { judgeUserData } from './user-data.ts';

const mime = 'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n--b\n\n#!/bin/sh\n--b--\n';

describe('V7: the first line of user-data', () => {
  it.each([
    ['', 'none'],
    [' \n\t\n', 'none'],
    ['#cloud-config\nusers: [default]\n', 'cloud_config'],
    ['#Cloud-Config\r\npackages: [htop]\r\n', 'cloud_config'],
    ['\ufeff#cloud-config\n{}\n', 'cloud_config'],
    ['\n\n#cloud-config\n', 'cloud_config'],
    ['## template: jinja\n#cloud-config\nfqdn: "{{ v1.instance_id }}"\n', 'cloud_config'],
    ['#cloud-config-archive\n- content: x\n', 'cloud_config_archive'],
    ['#cloud-config-jsonp\n[]\n', 'json_patch'],
    ['#!/bin/sh\necho x\n', 'script'],
    ['#!/usr/bin/env python3\n', 'script'],
    ['#include\nhttps://example.org/x\n', 'include'],
    ['#include-once\nhttps://example.org/x\n', 'include'],
    ['#cloud-boothook\n#!/bin/sh\n', 'boothook'],
    ['#part-handler\nimport os\n', 'part_handler'],
    [mime, 'mime'],
    [`From mailer Mon Jan  1 00:00:00 2024\n${mime}`, 'mime'],
    [mime.replaceAll('\n', '\r\n'), 'mime'],
    ['MIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary="b"\n\n--b--\n', 'mime'],
    [gzipSync('#cloud-config\n').toString('base64'), 'gzip'],
    [`${gzipSync('#cloud-config\n').toString('base64').replaceAll(/.{20}/g, '$&\n')}\n`, 'gzip'],
    ['{"ignition": {"version": "3.4.0"}}', 'ignition'],
    ['variant: fcos\nversion: 1.5.0\n', 'ignition'],
    ['users: [default]\npackages: [htop]\n', 'unknown'],
    ['---\n#cloud-config\n', 'unknown'],
    ['# cloud-config\n', 'unknown'],
    ['#cloud-confg\n', 'unknown'],
    ['// #cloud-config', 'unknown'],
    ['## template: jinja\nhello\n', 'unknown'],
    ['subject: hello\n\nmime-version: 1.0\n', 'unknown'],
    [Buffer.from('#cloud-config\n').toString('base64'), 'unknown'],
    ['<script>echo x</script>', 'unknown'],
    [`${'a: b\n'.repeat(20_000)}${mime}`, 'unknown'],
  ])('%j is %s', (text, kind) => {
    expect(judgeUserData(text)).toBe(kind);
  });
});
