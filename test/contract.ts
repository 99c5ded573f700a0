/**
 * The pack's public interface as data: what a saved flow holds of each node. Flows that users have saved depend on it,
 * so it is written down here a second time, and is not taken from the nodes.
 */

/** Properties in the flow, with the values of a node that was just dragged in, and what is in the credential store. */
export interface SavedNode {
  properties: Record<string, string | number | boolean>;
  credentials?: Record<string, 'text' | 'password'>;
  /** Names of the typed fields: each is stored with an `xType` beside it. */
  typed: string[];
  /** Without it, one. */
  inputs?: 0;
}

const common = {
  name: '',
  account: '',
  region: '',
  regionType: 'str',
  dynamicCredentials: '',
  dynamicCredentialsType: 'msg',
  output: 'parsed'
};

/** What messages of SNS and of SQS have in common. */
const message = {
  attributes: '',
  attributesType: 'json',
  groupId: '',
  groupIdType: 'str',
  deduplicationId: '',
  deduplicationIdType: 'str',
  batch: true
};
const messageTyped = ['attributes', 'groupId', 'deduplicationId', 'region', 'dynamicCredentials'];

export const contract: Record<string, SavedNode> = {
  'aws-account': {
    properties: {
      name: '',
      source: 'default',
      profile: '',
      region: '',
      endpoint: '',
      roleArn: '',
      sessionName: '',
      duration: 3600,
      validate: true,
      rekognitionRate: 5
    },
    credentials: { accessKeyId: 'text', secretAccessKey: 'password', sessionToken: 'password', externalId: 'text' },
    typed: []
  },
  'aws-lambda-invoke': {
    properties: {
      ...common,
      functionName: '',
      functionNameType: 'str',
      qualifier: '',
      qualifierType: 'str',
      invocationType: 'RequestResponse',
      payload: 'payload',
      payloadType: 'msg',
      clientContext: '',
      clientContextType: 'json',
      hostContext: false,
      logTail: false,
      functionError: 'error',
      timeout: 900,
      retries: 0
    },
    typed: ['functionName', 'qualifier', 'payload', 'clientContext', 'region', 'dynamicCredentials']
  },
  'aws-lambda-list': {
    properties: {
      ...common,
      scope: 'all',
      maxItems: '50',
      maxItemsType: 'num',
      marker: 'marker',
      markerType: 'msg',
      allVersions: false
    },
    typed: ['maxItems', 'marker', 'region', 'dynamicCredentials']
  },
  'aws-rekognition-detect': {
    properties: {
      ...common,
      operation: 'labels',
      image: 'payload',
      imageType: 'msg',
      confidence: '70',
      confidenceType: 'num',
      maxLabels: '',
      maxLabelsType: 'num',
      attributes: 'DEFAULT',
      attributesType: 'str',
      collection: '',
      collectionType: 'str',
      similarity: '80',
      similarityType: 'num',
      targets: '',
      targetsType: 'json',
      roi: '',
      roiType: 'json',
      annotate: 'none',
      saveFolder: '',
      saveFolderType: 'str',
      saveTimestamp: false,
      source: '',
      sourceType: 'str',
      skipUnchanged: '0',
      skipUnchangedType: 'num'
    },
    typed: [
      'image',
      'confidence',
      'maxLabels',
      'attributes',
      'collection',
      'similarity',
      'targets',
      'roi',
      'saveFolder',
      'source',
      'skipUnchanged',
      'region',
      'dynamicCredentials'
    ]
  },
  'aws-rekognition-index-face': {
    properties: {
      ...common,
      collection: '',
      collectionType: 'str',
      imageId: 'topic',
      imageIdType: 'msg',
      image: 'payload',
      imageType: 'msg',
      attributes: 'DEFAULT',
      attributesType: 'str',
      quality: 'AUTO'
    },
    typed: ['collection', 'imageId', 'image', 'attributes', 'region', 'dynamicCredentials']
  },
  'aws-sns-publish': {
    properties: {
      ...common,
      target: '',
      targetType: 'str',
      message: 'payload',
      messageType: 'msg',
      subject: '',
      subjectType: 'str',
      perProtocol: false,
      ...message
    },
    typed: ['target', 'message', 'subject', ...messageTyped]
  },
  'aws-sqs-receive': {
    properties: {
      name: '',
      account: '',
      region: '',
      queue: '',
      batchSize: 10,
      waitTime: 20,
      visibilityTimeout: '',
      maxInFlight: 10,
      settle: 'sent',
      bodyFormat: 'auto'
    },
    typed: [],
    inputs: 0
  },
  'aws-sqs-send': {
    properties: {
      ...common,
      queue: '',
      queueType: 'str',
      body: 'payload',
      bodyType: 'msg',
      delaySeconds: '',
      delaySecondsType: 'num',
      ...message
    },
    typed: ['queue', 'body', 'delaySeconds', ...messageTyped]
  },
  'aws-sqs-settle': {
    properties: { name: '', action: 'delete', delay: '', delayType: 'num' },
    typed: ['delay']
  }
};

/** The kinds of source of every typed field; some take literals as well. */
export const sources = ['msg', 'flow', 'global', 'env', 'jsonata'];
export const literals = ['str', 'num', 'bool', 'json'];
