/**
 * What Rekognition answers, as AWS shows it: by operation, the output of the first example in its own description of the
 * service. From `apis/rekognition-2016-06-27.examples.json` of the AWS SDK for JavaScript 2.1693.0 (Copyright 2012-2017
 * Amazon.com, Inc. or its affiliates; Apache-2.0), the last that has it, taken on 2026-11-30. The numbers are AWS’s.
 */
export const examples: Readonly<Record<string, object>> = {
  CreateCollection: {
    CollectionArn: 'aws:rekognition:us-west-2:123456789012:collection/myphotos',
    StatusCode: 200
  },
  DeleteCollection: {
    StatusCode: 200
  },
  DetectFaces: {
    FaceDetails: [
      {
        BoundingBox: {
          Height: 0.18000000715255737,
          Left: 0.5555555820465088,
          Top: 0.33666667342185974,
          Width: 0.23999999463558197
        },
        Confidence: 100,
        Landmarks: [
          {
            Type: 'eyeLeft',
            X: 0.6394737362861633,
            Y: 0.40819624066352844
          },
          {
            Type: 'eyeRight',
            X: 0.7266660928726196,
            Y: 0.41039225459098816
          },
          {
            Type: 'eyeRight',
            X: 0.6912462115287781,
            Y: 0.44240960478782654
          },
          {
            Type: 'mouthDown',
            X: 0.6306198239326477,
            Y: 0.46700039505958557
          },
          {
            Type: 'mouthUp',
            X: 0.7215608954429626,
            Y: 0.47114261984825134
          }
        ],
        Pose: {
          Pitch: 4.050806522369385,
          Roll: 0.9950747489929199,
          Yaw: 13.693790435791016
        },
        Quality: {
          Brightness: 37.60169982910156,
          Sharpness: 80
        }
      }
    ],
    OrientationCorrection: 'ROTATE_0'
  },
  DetectLabels: {
    Labels: [
      {
        Confidence: 99.25072479248047,
        Name: 'People'
      },
      {
        Confidence: 99.25074005126953,
        Name: 'Person'
      }
    ]
  },
  IndexFaces: {
    FaceRecords: [
      {
        Face: {
          BoundingBox: {
            Height: 0.33481481671333313,
            Left: 0.31888890266418457,
            Top: 0.4933333396911621,
            Width: 0.25
          },
          Confidence: 99.9991226196289,
          FaceId: 'ff43d742-0c13-5d16-a3e8-03d3f58e980b',
          ImageId: '465f4e93-763e-51d0-b030-b9667a2d94b1'
        },
        FaceDetail: {
          BoundingBox: {
            Height: 0.33481481671333313,
            Left: 0.31888890266418457,
            Top: 0.4933333396911621,
            Width: 0.25
          },
          Confidence: 99.9991226196289,
          Landmarks: [
            {
              Type: 'eyeLeft',
              X: 0.3976764678955078,
              Y: 0.6248345971107483
            },
            {
              Type: 'eyeRight',
              X: 0.4810936450958252,
              Y: 0.6317117214202881
            },
            {
              Type: 'noseLeft',
              X: 0.41986238956451416,
              Y: 0.7111940383911133
            },
            {
              Type: 'mouthDown',
              X: 0.40525302290916443,
              Y: 0.7497701048851013
            },
            {
              Type: 'mouthUp',
              X: 0.4753248989582062,
              Y: 0.7558549642562866
            }
          ],
          Pose: {
            Pitch: -9.713645935058594,
            Roll: 4.707281112670898,
            Yaw: -24.438663482666016
          },
          Quality: {
            Brightness: 29.23358917236328,
            Sharpness: 80
          }
        }
      },
      {
        Face: {
          BoundingBox: {
            Height: 0.32592591643333435,
            Left: 0.5144444704055786,
            Top: 0.15111111104488373,
            Width: 0.24444444477558136
          },
          Confidence: 99.99950408935547,
          FaceId: '8be04dba-4e58-520d-850e-9eae4af70eb2',
          ImageId: '465f4e93-763e-51d0-b030-b9667a2d94b1'
        },
        FaceDetail: {
          BoundingBox: {
            Height: 0.32592591643333435,
            Left: 0.5144444704055786,
            Top: 0.15111111104488373,
            Width: 0.24444444477558136
          },
          Confidence: 99.99950408935547,
          Landmarks: [
            {
              Type: 'eyeLeft',
              X: 0.6006892323493958,
              Y: 0.290842205286026
            },
            {
              Type: 'eyeRight',
              X: 0.6808141469955444,
              Y: 0.29609042406082153
            },
            {
              Type: 'noseLeft',
              X: 0.6395332217216492,
              Y: 0.3522595763206482
            },
            {
              Type: 'mouthDown',
              X: 0.5892083048820496,
              Y: 0.38689887523651123
            },
            {
              Type: 'mouthUp',
              X: 0.674560010433197,
              Y: 0.394125759601593
            }
          ],
          Pose: {
            Pitch: -4.683138370513916,
            Roll: 2.1029529571533203,
            Yaw: 6.716655254364014
          },
          Quality: {
            Brightness: 34.951698303222656,
            Sharpness: 160
          }
        }
      }
    ],
    OrientationCorrection: 'ROTATE_0'
  },
  ListCollections: {
    CollectionIds: ['myphotos']
  },
  ListFaces: {
    FaceModelVersion: '6.0',
    Faces: [
      {
        BoundingBox: {
          Height: 0.056759100407361984,
          Left: 0.3453829884529114,
          Top: 0.36568498611450195,
          Width: 0.03177810087800026
        },
        Confidence: 99.76940155029297,
        FaceId: 'c92265d4-5f9c-43af-a58e-12be0ce02bc3',
        ImageId: '56a0ca74-1c83-39dd-b363-051a64168a65',
        IndexFacesModelVersion: '6.0',
        UserId: 'demoUser2'
      },
      {
        BoundingBox: {
          Height: 0.06347999721765518,
          Left: 0.5160620212554932,
          Top: 0.6080359816551208,
          Width: 0.03254450112581253
        },
        Confidence: 99.94369506835938,
        FaceId: '851cb847-dccc-4fea-9309-9f4805967855',
        ImageId: 'a8aed589-ceec-35f7-9c04-82e0b546b024',
        IndexFacesModelVersion: '6.0'
      },
      {
        BoundingBox: {
          Height: 0.05266290158033371,
          Left: 0.6513839960098267,
          Top: 0.4218429923057556,
          Width: 0.03094629943370819
        },
        Confidence: 99.82969665527344,
        FaceId: 'c0eb3b65-24a0-41e1-b23a-1908b1aaeac1',
        ImageId: '56a0ca74-1c83-39dd-b363-051a64168a65',
        IndexFacesModelVersion: '6.0'
      }
    ]
  },
  SearchFacesByImage: {
    FaceMatches: [
      {
        Face: {
          BoundingBox: {
            Height: 0.3234420120716095,
            Left: 0.3233329951763153,
            Top: 0.5,
            Width: 0.24222199618816376
          },
          Confidence: 99.99829864501953,
          FaceId: '38271d79-7bc2-5efb-b752-398a8d575b85',
          ImageId: 'd5631190-d039-54e4-b267-abd22c8647c5'
        },
        Similarity: 99.97036743164062
      }
    ],
    SearchedFaceBoundingBox: {
      Height: 0.33481481671333313,
      Left: 0.31888890266418457,
      Top: 0.4933333396911621,
      Width: 0.25
    },
    SearchedFaceConfidence: 99.9991226196289
  }
};
