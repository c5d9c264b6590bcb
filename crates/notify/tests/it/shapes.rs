//! A run with some of everything, as each service is told.

use crate::samples::bad;
use notify::{Service, Summary, payload};

fn pretty(service: Service, summary: &Summary) -> String {
    serde_json::to_string_pretty(&payload(service, summary)).unwrap()
}

#[test]
fn slack_is_told_in_blocks() {
    insta::assert_snapshot!(pretty(Service::Slack, &bad()), @r#"
    {
      "text": "❌ nightly on build-mac: 3 failed, 1 unverified, 2 changed of 300\n❌ Firefox-131.0.pkg, Chrome.pkg failed in step 4 s3-upload: part 7 was refused: AccessDenied\n❌ Broken.pkgferry failed: Broken.pkgferry.yaml:3: unknown key Proces\n⚠️ Zoom &amp; Co &lt;5&gt;.pkg unverified in step 6 verify-delivery: the server shows no digest after 10 min",
      "mrkdwn": false,
      "blocks": [
        {
          "type": "header",
          "text": {
            "type": "plain_text",
            "text": "❌ nightly on build-mac: 3 failed, 1 unverified, 2 changed of 300",
            "emoji": false
          }
        },
        {
          "type": "context",
          "elements": [
            {
              "type": "plain_text",
              "text": "1 created · 1 replaced · 294 skipped · 1.1 GiB sent · 78.7 GiB saved · 12 min 4 s · example.jamfcloud.com",
              "emoji": false
            }
          ]
        },
        {
          "type": "rich_text",
          "elements": [
            {
              "type": "rich_text_section",
              "elements": [
                {
                  "type": "text",
                  "text": "❌ "
                },
                {
                  "type": "text",
                  "text": "Firefox-131.0.pkg, Chrome.pkg",
                  "style": {
                    "bold": true
                  }
                },
                {
                  "type": "text",
                  "text": " failed · step 4 s3-upload"
                },
                {
                  "type": "text",
                  "text": "\npart 7 was refused: AccessDenied"
                },
                {
                  "type": "text",
                  "text": "\nNext: run the same again: what has arrived is not sent again",
                  "style": {
                    "italic": true
                  }
                }
              ]
            }
          ]
        },
        {
          "type": "rich_text",
          "elements": [
            {
              "type": "rich_text_section",
              "elements": [
                {
                  "type": "text",
                  "text": "❌ "
                },
                {
                  "type": "text",
                  "text": "Broken.pkgferry",
                  "style": {
                    "bold": true
                  }
                },
                {
                  "type": "text",
                  "text": " failed"
                },
                {
                  "type": "text",
                  "text": "\nBroken.pkgferry.yaml:3: unknown key Proces"
                }
              ]
            }
          ]
        },
        {
          "type": "rich_text",
          "elements": [
            {
              "type": "rich_text_section",
              "elements": [
                {
                  "type": "text",
                  "text": "⚠️ "
                },
                {
                  "type": "text",
                  "text": "Zoom & Co <5>.pkg",
                  "style": {
                    "bold": true
                  }
                },
                {
                  "type": "text",
                  "text": " unverified · step 6 verify-delivery"
                },
                {
                  "type": "text",
                  "text": "\nthe server shows no digest after 10 min"
                },
                {
                  "type": "text",
                  "text": "\nNext: run `pkgferry verify` later",
                  "style": {
                    "italic": true
                  }
                }
              ]
            }
          ]
        },
        {
          "type": "rich_text",
          "elements": [
            {
              "type": "rich_text_section",
              "elements": [
                {
                  "type": "text",
                  "text": "Changed",
                  "style": {
                    "bold": true
                  }
                }
              ]
            },
            {
              "type": "rich_text_list",
              "style": "bullet",
              "elements": [
                {
                  "type": "rich_text_section",
                  "elements": [
                    {
                      "type": "text",
                      "text": "Safari Technology Preview.pkg",
                      "style": {
                        "bold": true
                      }
                    },
                    {
                      "type": "text",
                      "text": " 131.0, replaced, category Browsers: MD5 differs"
                    }
                  ]
                },
                {
                  "type": "rich_text_section",
                  "elements": [
                    {
                      "type": "text",
                      "text": "Tool_2.0*.pkg",
                      "style": {
                        "bold": true
                      }
                    },
                    {
                      "type": "text",
                      "text": " created: not in the distribution service"
                    }
                  ]
                }
              ]
            }
          ]
        },
        {
          "type": "context",
          "elements": [
            {
              "type": "plain_text",
              "text": "full report: /var/log/pkgferry/report.html · started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10",
              "emoji": false
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn teams_is_told_in_a_card() {
    insta::assert_snapshot!(pretty(Service::Teams, &bad()), @r#"
    {
      "type": "message",
      "attachments": [
        {
          "contentType": "application/vnd.microsoft.card.adaptive",
          "contentUrl": null,
          "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [
              {
                "type": "Container",
                "items": [
                  {
                    "type": "RichTextBlock",
                    "spacing": "none",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "❌ nightly on build-mac: 3 failed, 1 unverified, 2 changed of 300",
                        "weight": "bolder",
                        "size": "medium"
                      }
                    ]
                  },
                  {
                    "type": "RichTextBlock",
                    "spacing": "small",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "1 created · 1 replaced · 294 skipped · 1.1 GiB sent · 78.7 GiB saved · 12 min 4 s · example.jamfcloud.com",
                        "isSubtle": true
                      }
                    ]
                  }
                ],
                "style": "attention",
                "bleed": true
              },
              {
                "type": "Container",
                "items": [
                  {
                    "type": "RichTextBlock",
                    "spacing": "none",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "❌ Firefox-131.0.pkg, Chrome.pkg",
                        "weight": "bolder",
                        "color": "attention"
                      },
                      {
                        "type": "TextRun",
                        "text": " failed · step 4 s3-upload",
                        "isSubtle": true
                      }
                    ]
                  },
                  {
                    "type": "RichTextBlock",
                    "spacing": "small",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "part 7 was refused: AccessDenied"
                      }
                    ]
                  },
                  {
                    "type": "RichTextBlock",
                    "spacing": "small",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "Next: ",
                        "weight": "bolder"
                      },
                      {
                        "type": "TextRun",
                        "text": "run the same again: what has arrived is not sent again"
                      }
                    ]
                  }
                ],
                "separator": true
              },
              {
                "type": "Container",
                "items": [
                  {
                    "type": "RichTextBlock",
                    "spacing": "none",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "❌ Broken.pkgferry",
                        "weight": "bolder",
                        "color": "attention"
                      },
                      {
                        "type": "TextRun",
                        "text": " failed",
                        "isSubtle": true
                      }
                    ]
                  },
                  {
                    "type": "RichTextBlock",
                    "spacing": "small",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "Broken.pkgferry.yaml:3: unknown key Proces"
                      }
                    ]
                  }
                ],
                "separator": true
              },
              {
                "type": "Container",
                "items": [
                  {
                    "type": "RichTextBlock",
                    "spacing": "none",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "⚠️ Zoom & Co <5>.pkg",
                        "weight": "bolder",
                        "color": "warning"
                      },
                      {
                        "type": "TextRun",
                        "text": " unverified · step 6 verify-delivery",
                        "isSubtle": true
                      }
                    ]
                  },
                  {
                    "type": "RichTextBlock",
                    "spacing": "small",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "the server shows no digest after 10 min"
                      }
                    ]
                  },
                  {
                    "type": "RichTextBlock",
                    "spacing": "small",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "Next: ",
                        "weight": "bolder"
                      },
                      {
                        "type": "TextRun",
                        "text": "run `pkgferry verify` later"
                      }
                    ]
                  }
                ],
                "separator": true
              },
              {
                "type": "Container",
                "items": [
                  {
                    "type": "RichTextBlock",
                    "spacing": "none",
                    "inlines": [
                      {
                        "type": "TextRun",
                        "text": "Changed",
                        "weight": "bolder"
                      }
                    ]
                  }
                ],
                "separator": true
              },
              {
                "type": "RichTextBlock",
                "spacing": "small",
                "inlines": [
                  {
                    "type": "TextRun",
                    "text": "Safari Technology Preview.pkg",
                    "weight": "bolder"
                  },
                  {
                    "type": "TextRun",
                    "text": " 131.0, replaced, category Browsers: MD5 differs"
                  }
                ]
              },
              {
                "type": "RichTextBlock",
                "spacing": "small",
                "inlines": [
                  {
                    "type": "TextRun",
                    "text": "Tool_2.0*.pkg",
                    "weight": "bolder"
                  },
                  {
                    "type": "TextRun",
                    "text": " created: not in the distribution service"
                  }
                ]
              },
              {
                "type": "RichTextBlock",
                "spacing": "medium",
                "inlines": [
                  {
                    "type": "TextRun",
                    "text": "full report: /var/log/pkgferry/report.html · started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10",
                    "isSubtle": true,
                    "size": "small"
                  }
                ]
              }
            ],
            "msteams": {
              "width": "Full"
            }
          }
        }
      ]
    }
    "#);
}

#[test]
fn programs_are_told_everything() {
    insta::assert_snapshot!(pretty(Service::Json, &bad()), @r#"
    {
      "kind": "pkgferry.run",
      "version": 1,
      "text": "❌ nightly on build-mac: 3 failed, 1 unverified, 2 changed of 300",
      "status": "failed",
      "title": "nightly on build-mac",
      "run": "4f3c2a10",
      "program": "pkgferry 0.1.0",
      "dry_run": false,
      "ending": {
        "how": "complete"
      },
      "started": "2026-11-21T02:00:00Z",
      "duration_seconds": 724.0,
      "counts": {
        "packages": 300,
        "failed": 3,
        "unverified": 1,
        "not_begun": 0,
        "created": 1,
        "replaced": 1,
        "metadata_only": 0,
        "downloaded": 0,
        "skipped": 294
      },
      "bytes": {
        "sent": 1288490188,
        "saved": 84610855731,
        "fetched": 0
      },
      "failed": [
        {
          "package": "Firefox-131.0.pkg",
          "recipe": "Firefox-131.0.pkgferry",
          "message": "part 7 was refused: AccessDenied",
          "step": {
            "number": 4,
            "processor": "s3-upload"
          },
          "server": "example.jamfcloud.com",
          "next_step": "run the same again: what has arrived is not sent again"
        },
        {
          "package": "Broken.pkgferry",
          "recipe": "Broken.pkgferry.pkgferry",
          "message": "Broken.pkgferry.yaml:3: unknown key Proces"
        },
        {
          "package": "Chrome.pkg",
          "recipe": "Chrome.pkgferry",
          "message": "part 7 was refused: AccessDenied",
          "step": {
            "number": 4,
            "processor": "s3-upload"
          },
          "server": "example.jamfcloud.com",
          "next_step": "run the same again: what has arrived is not sent again"
        }
      ],
      "unverified": [
        {
          "package": "Zoom & Co <5>.pkg",
          "recipe": "Zoom & Co <5>.pkgferry",
          "message": "the server shows no digest after 10 min",
          "step": {
            "number": 6,
            "processor": "verify-delivery"
          },
          "server": "example.jamfcloud.com",
          "next_step": "run `pkgferry verify` later"
        }
      ],
      "changed": [
        {
          "package": "Safari Technology Preview.pkg",
          "recipe": "Safari Technology Preview.pkgferry",
          "how": "replaced",
          "server": "example.jamfcloud.com",
          "version": "131.0",
          "category": "Browsers",
          "reason": "MD5 differs"
        },
        {
          "package": "Tool_2.0*.pkg",
          "recipe": "Tool_2.0*.pkgferry",
          "how": "created",
          "server": "example.jamfcloud.com",
          "reason": "not in the distribution service"
        }
      ],
      "report": {
        "file": "/var/log/pkgferry/report.html"
      }
    }
    "#);
}
